// Command client measures container runtimes side by side, as a client of
// containerd sees them.
//
// Rounds alternate between the runtimes, so that whatever else the machine
// does meanwhile meets all of them alike.  A figure is the median over the
// rounds, with the quartiles to show how calm the machine was.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/containerd/containerd"
	"github.com/containerd/containerd/namespaces"
)

// parts are what can be measured, each by itself, in this order.
var parts = []struct {
	name, title string
	measure     func(*plan, context.Context) error
}{
	{"task", "/bin/true, one after the other", (*plan).measureTasks},
	{"rate", "/bin/true, 8 clients at once", (*plan).measureRate},
	{"second", "/bin/true as the second container of a living pod",
		(*plan).measureSecond},
	{"exec", "/bin/true executed in a running container",
		(*plan).measureExec},
	{"confine", "what confining the processes of one task takes",
		(*plan).measureConfine},
	{"stdout", "standard output, read by a client", (*plan).measureStdout},
	{"idle", "idle pods: all processes of the runtime but the workloads",
		(*plan).measureIdle},
}

// choose returns the names that are in the comma-separated list, all of them
// if it is empty.
func choose(list string) (map[string]bool, error) {
	chosen := make(map[string]bool)
	var known []string
	for _, part := range parts {
		known = append(known, part.name)
		chosen[part.name] = list == ""
	}
	if list == "" {
		return chosen, nil
	}
	for _, name := range strings.Split(list, ",") {
		if _, ok := chosen[name]; !ok {
			return nil, fmt.Errorf("no part %q to measure, only %s", name,
				strings.Join(known, ", "))
		}
		chosen[name] = true
	}
	return chosen, nil
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("bench: ")
	var p plan
	address := flag.String("address", "", "containerd's socket")
	names := flag.String("runtimes", "floor,runc,reaper", "in this order")
	list := flag.String("parts", "", "what to measure; all if empty")
	flag.StringVar(&p.namespace, "namespace", "regress", "of containerd")
	flag.StringVar(&p.rootfs, "rootfs", "", "root for runtimes that use one")
	flag.StringVar(&p.cgroup, "cgroup", "/reaper-bench", "parent cgroup")
	flag.StringVar(&p.fifos, "fifos", "", "directory for FIFOs")
	flag.StringVar(&p.confine, "confine", "", "the program of that name")
	flag.StringVar(&p.empty, "empty", "", "an empty directory")
	flag.IntVar(&p.rounds, "rounds", 7, "rounds")
	flag.Parse()
	p.runtimes = strings.Split(*names, ",")
	p.result = newResult(p.rounds, p.runtimes)
	chosen, err := choose(*list)
	if err != nil {
		log.Fatal(err)
	}

	client, err := containerd.New(*address)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	p.client = client
	ctx := namespaces.WithNamespace(context.Background(), p.namespace)

	for _, part := range parts {
		if !chosen[part.name] {
			continue
		}
		p.result.section(part.title)
		if err := part.measure(&p, ctx); err != nil {
			log.Fatalf("%s: %v", part.name, err)
		}
		p.result.printSection(os.Stdout)
	}
	missed := p.result.judge(os.Stdout)
	line, err := json.Marshal(p.result)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(line))
	if missed {
		os.Exit(1)
	}
}
