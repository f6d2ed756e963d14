/*
 * A look at protocol buffers before they are unpacked.
 */
#ifndef SHIM_WIRE_H
#define SHIM_WIRE_H

#include <protobuf-c/protobuf-c.h>

#define WIRE_FIELDS_MAX	4096	/* in one message, those inside it counted */
#define WIRE_DEPTH_MAX	8	/* messages inside each other */

/*
 * Checks that size bytes are a message of this type that is harmless to
 * unpack: well formed, strings without NUL and in UTF-8, no more fields than
 * WIRE_FIELDS_MAX, so that its unpacked size is bounded by size and a
 * constant.  Unknown fields are passed over; groups, which proto3 does not
 * have, are refused.  Pure.  Returns 0 or -EBADMSG.
 */
int	 wire_check(const ProtobufCMessageDescriptor *type,
	    const uint8_t *data, size_t size);

#endif
