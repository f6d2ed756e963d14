/*
 * features: what of the runtime specification there is, as it wants to know it
 * (features.md).
 */
#include <stdio.h>

#include "cli/cli.h"
#include "version.h"

int
cli_features(const struct options *options)
{
	(void)options;
	printf("{\n"
	       "  \"ociVersionMin\": \"1.0.0\",\n"
	       "  \"ociVersionMax\": \"1.2.0\",\n"
	       "  \"hooks\": [],\n"
	       "  \"mountOptions\": [\n"
	       "    \"bind\", \"defaults\", \"exec\", \"nodev\", "
	       "\"noexec\", \"nosuid\", \"private\",\n"
	       "    \"rbind\", \"ro\", \"rprivate\", \"rro\", "
	       "\"rshared\", \"rslave\", \"rw\", \"shared\",\n"
	       "    \"slave\", \"suid\"\n"
	       "  ],\n"
	       "  \"linux\": {\n"
	       "    \"namespaces\": [\n"
	       "      \"ipc\", \"mount\", \"network\", \"pid\", \"uts\"\n"
	       "    ],\n"
	       "    \"cgroup\": {\n"
	       "      \"v1\": true,\n"
	       "      \"v2\": true,\n"
	       "      \"systemd\": false,\n"
	       "      \"systemdUser\": false\n"
	       "    },\n"
	       "    \"seccomp\": {\n"
	       "      \"enabled\": true,\n"
	       "      \"actions\": [\n"
	       "        \"SCMP_ACT_ALLOW\", \"SCMP_ACT_ERRNO\", "
	       "\"SCMP_ACT_KILL\",\n"
	       "        \"SCMP_ACT_KILL_PROCESS\", "
	       "\"SCMP_ACT_KILL_THREAD\", \"SCMP_ACT_LOG\",\n"
	       "        \"SCMP_ACT_TRACE\", \"SCMP_ACT_TRAP\"\n"
	       "      ]\n"
	       "    },\n"
	       "    \"apparmor\": {\n"
	       "      \"enabled\": false\n"
	       "    },\n"
	       "    \"selinux\": {\n"
	       "      \"enabled\": false\n"
	       "    },\n"
	       "    \"intelRdt\": {\n"
	       "      \"enabled\": false\n"
	       "    }\n"
	       "  },\n"
	       "  \"annotations\": {\n"
	       "    \"reaper.runtime/version\": \"" REAPER_VERSION "\"\n"
	       "  },\n"
	       "  \"potentiallyUnsafeConfigAnnotations\": [\n"
	       "    \"reaper.runtime/\"\n"
	       "  ]\n"
	       "}\n");
	return (CLI_DONE);
}
