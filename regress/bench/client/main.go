// Command client measures container runtimes side by side, as a client of
// containerd sees them.
//
// Rounds of tasks alternate between the runtimes, so that whatever else the
// machine does meanwhile meets all of them alike.  A figure is the median,
// over the rounds, of a round's percentile.
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

func main() {
	log.SetFlags(0)
	log.SetPrefix("bench: ")
	var p plan
	address := flag.String("address", "", "containerd's socket")
	names := flag.String("runtimes", "floor,runc,reaper", "in this order")
	flag.StringVar(&p.namespace, "namespace", "regress", "of containerd")
	flag.StringVar(&p.rootfs, "rootfs", "", "root for runtimes that use one")
	flag.IntVar(&p.rounds, "rounds", 7, "rounds")
	flag.IntVar(&p.tasks, "tasks", 20, "tasks a round and runtime")
	flag.IntVar(&p.warmup, "warmup", 3, "tasks before the first round")
	flag.IntVar(&p.pods, "pods", 5, "idle pods for the memory figure")
	flag.Parse()
	p.runtimes = strings.Split(*names, ",")

	client, err := containerd.New(*address)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	p.client = client
	ctx := namespaces.WithNamespace(context.Background(), p.namespace)

	res, err := p.run(ctx)
	if err != nil {
		log.Fatal(err)
	}
	res.print(os.Stdout)
	line, err := json.Marshal(res)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(line))
	if len(res.Missed) > 0 {
		os.Exit(1)
	}
}
