#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "shim/info.h"
#include "shim/output.h"
#include "shim/proto/info.pb-c.h"
#include "version.h"

#define INFO_SIZE 512 /* bytes; two short strings */

int
info_version(void)
{
	static const char text[] = "containerd-shim-reaper-v2 " REAPER_VERSION
				   "\n";

	return (output_write(text, strlen(text)));
}

int
info_runtime(void)
{
	static char name[] = "io.containerd.reaper.v2";
	static char number[] = REAPER_VERSION;
	Containerd__Types__RuntimeInfo info =
	    CONTAINERD__TYPES__RUNTIME_INFO__INIT;
	Containerd__Types__RuntimeVersion version =
	    CONTAINERD__TYPES__RUNTIME_VERSION__INIT;
	uint8_t buffer[INFO_SIZE];

	version.version = number;
	info.name = name;
	info.version = &version;
	if (containerd__types__runtime_info__get_packed_size(&info) >
	    sizeof(buffer))
		return (1);
	return (output_write(buffer,
	    containerd__types__runtime_info__pack(&info, buffer)));
}
