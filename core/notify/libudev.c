/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Loads libudev when a program first listens to uevents. */
#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "shared/error.h"
#include "core/notify/libudev.h"

#define SONAME "libudev.so.1"

/*
 * "ELF dlopen metadata" of the UAPI group's specifications: packaging tools find here a library
 * that is not in DT_NEEDED.
 */
#define NOTE_TEXT                                                              \
	"[{\"feature\":\"uevents\","                                           \
	"\"description\":\"Devices that come and go are noticed when they do," \
	" not within a second\","                                              \
	"\"priority\":\"recommended\",\"soname\":[\"" SONAME "\"]}]"

enum { NOTE_TYPE = 0x407c0c0a };

static const struct {
	uint32_t name_size, text_size, type;
	char name[4];
	char text[(sizeof(NOTE_TEXT) + 3) / 4 * 4];
} note __attribute__((used, aligned(4), section(".note.dlopen"))) = {
	.name_size = sizeof("FDO"),
	.text_size = sizeof(NOTE_TEXT),
	.type = NOTE_TYPE,
	.name = "FDO",
	.text = NOTE_TEXT,
};

static int libudev_missing(const char **why)
{
	const int error = errno;
	const char *text = dlerror();

	*why = text ? text : SONAME " cannot be loaded";
	return hfi_error_is_shortage(-error) ? -error : -ELIBACC;
}

int hfi_udev_calls_get(struct hf_udev_calls *ret, const char **why)
{
	struct hf_udev_calls calls;
	void *library;

	errno = 0;
	/* RTLD_NODELETE: the pointers into it are not reference-counted. */
	library = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!library)
		return libudev_missing(why);
#define LOOK_UP(name)                                          \
	*(void **)&calls.name = dlsym(library, "udev_" #name); \
	if (!calls.name)                                       \
		goto close_library;
	HF_UDEV_CALLS(LOOK_UP)
#undef LOOK_UP
	dlclose(library);
	*ret = calls;
	return 0;

close_library:
	errno = 0;
	libudev_missing(why);
	dlclose(library);
	return -ELIBACC;
}
