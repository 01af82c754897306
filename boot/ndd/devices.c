/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The known devices, and writing their node descriptions. */
#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot/ndd/devices.h"
#include "boot/ndd/log.h"
#include "boot/ndd/text.h"

enum { NAME_SIZE = 64 };

/* The index of the device with this generation, or where to insert it. */
static size_t find_generation(const struct ndd_devices *devices, uint64_t generation)
{
	size_t low = 0, high = devices->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (devices->v[middle].generation < generation)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_at(const struct ndd_devices *devices, size_t i, uint64_t generation)
{
	return i < devices->count && devices->v[i].generation == generation;
}

static void set_pending(struct ndd_devices *devices, struct ndd_device *device, bool pending)
{
	devices->num_pending -= device->pending;
	device->pending = pending;
	devices->num_pending += device->pending;
}

/*
 * Frees memory after many devices were removed. Halves the array only when it is a quarter full, so
 * that one device plugged and unplugged repeatedly does not resize it each time.
 */
static void shrink(struct ndd_devices *devices)
{
	struct ndd_device *less;

	if (devices->size < 64 || devices->count > devices->size / 4)
		return;
	less = reallocarray(devices->v, devices->size / 2, sizeof(*less));
	if (!less)
		return;
	devices->v = less;
	devices->size /= 2;
	/* Return the library's memory, too: malloc() would keep it as long as the daemon runs. */
	malloc_trim(0);
}

static int insert_device(struct ndd_devices *devices, size_t i, uint64_t generation,
			 struct ibv_device *device)
{
	if (devices->count == devices->size) {
		size_t size = devices->size ? devices->size * 2 : 16;
		struct ndd_device *more = reallocarray(devices->v, size, sizeof(*more));

		if (!more)
			return -ENOMEM;
		devices->v = more;
		devices->size = size;
	}
	memmove(devices->v + i + 1, devices->v + i, (devices->count - i) * sizeof(*devices->v));
	devices->count++;
	devices->v[i] =
		(struct ndd_device){.generation = generation, .device = hf_device_ref(device)};
	return 0;
}

static void remove_device(struct ndd_devices *devices, size_t i)
{
	set_pending(devices, &devices->v[i], false);
	hf_device_unref(devices->v[i].device);
	devices->count--;
	memmove(devices->v + i, devices->v + i + 1, (devices->count - i) * sizeof(*devices->v));
	shrink(devices);
}

/* Logs each error of a device once, and once more after the host name changed. */
static void log_failed_write(struct ndd_device *device, int severity, const char *name, int err)
{
	if (device->logged_error == err)
		severity = LOG_DEBUG;
	if (severity != LOG_DEBUG)
		device->logged_error = err;
	ndd_log(severity, "%s: the node description cannot be set: %s", name,
		strerrordesc_np(-err));
}

static void failed(struct ndd_devices *devices, struct ndd_device *device, const char *name,
		   int err)
{
	switch (err) {
	case -ENODEV: /* unplugged: the stream will report it */
		set_pending(devices, device, false);
		ndd_log(LOG_DEBUG, "%s: removed before its description was written", name);
		return;
	case -ENOENT: /* the device has no description: not an error */
	case -EOPNOTSUPP:
		set_pending(devices, device, false);
		log_failed_write(device, LOG_INFO, name, err);
		return;
	case -EACCES: /* permanent errors */
	case -EINVAL:
		set_pending(devices, device, false);
		log_failed_write(device, LOG_WARNING, name, err);
		return;
	default:
		set_pending(devices, device, device->tries < devices->max_tries);
		device->tries++;
		log_failed_write(device, device->pending ? LOG_DEBUG : LOG_WARNING, name, err);
		return;
	}
}

/* Whether the device has the description already. False if it cannot be read. */
static bool has_description(struct ibv_device *device, const char *text)
{
	char now[NDD_SIZE + 1];

	return hf_device_read_attr(device, "node_desc", now, sizeof(now)) >= 0 &&
	       !strcmp(now, text);
}

static void write_description(struct ndd_devices *devices, struct ndd_device *device)
{
	char name[NAME_SIZE], text[NDD_SIZE + 1];
	int err;

	/* An earlier failure, if any, was of another text. */
	set_pending(devices, device, false);
	if (hf_device_is_gone(device->device) ||
	    hf_device_name(device->device, name, sizeof(name)) < 0)
		return;
	if (!*devices->host && ndd_text_names_host(devices->template))
		return;
	if (!ndd_text(devices->template, devices->host, name, text))
		return;
	/* Always write the first time: the subnet manager may have another description. */
	if (device->current && has_description(device->device, text))
		return;
	err = hf_device_write_attr(device->device, "node_desc", text);
	if (err) {
		failed(devices, device, name, err);
		return;
	}
	device->current = true;
	device->tries = 0;
	device->logged_error = 0;
	ndd_log(LOG_INFO, "%s: described as \"%s\"", name, text);
}

/* Describes the device with a new count of tries. */
static void describe_anew(struct ndd_devices *devices, struct ndd_device *device)
{
	device->tries = 0;
	write_description(devices, device);
}

int ndd_devices_handle_event(struct ndd_devices *devices, struct hf_event *event)
{
	enum hf_event_type type = hf_event_type(event);
	uint64_t generation = hf_event_generation(event);
	struct ibv_device *device = hf_event_device(event);
	size_t i = find_generation(devices, generation);
	bool known = is_at(devices, i, generation);

	if (!device)
		return 0;
	if (type == HF_EVENT_REMOVED) {
		if (known)
			remove_device(devices, i);
		return 0;
	}
	if (!known) {
		int err = insert_device(devices, i, generation, device);

		if (err)
			return err;
	} else if (devices->v[i].device != device) {
		hf_device_ref(device);
		hf_device_unref(devices->v[i].device);
		devices->v[i].device = device;
	}
	describe_anew(devices, &devices->v[i]);
	return 0;
}

static void describe_all(struct ndd_devices *devices)
{
	for (size_t i = 0; i < devices->count; i++)
		describe_anew(devices, &devices->v[i]);
}

void ndd_devices_set_host(struct ndd_devices *devices, const char *host)
{
	if (!strcmp(devices->host, host))
		return;
	snprintf(devices->host, sizeof(devices->host), "%s", host);
	ndd_log(LOG_INFO, "host name: %s", *host ? host : "not set");
	for (size_t i = 0; i < devices->count; i++)
		devices->v[i].logged_error = 0;
	describe_all(devices);
}

void ndd_devices_renew(struct ndd_devices *devices)
{
	for (size_t i = 0; i < devices->count; i++) {
		devices->v[i].current = false;
		devices->v[i].logged_error = 0;
	}
	describe_all(devices);
}

void ndd_devices_retry(struct ndd_devices *devices)
{
	for (size_t i = 0; i < devices->count; i++)
		if (devices->v[i].pending)
			write_description(devices, &devices->v[i]);
}

void ndd_devices_clear(struct ndd_devices *devices)
{
	for (size_t i = 0; i < devices->count; i++)
		hf_device_unref(devices->v[i].device);
	free(devices->v);
	devices->v = NULL;
	devices->count = devices->size = devices->num_pending = 0;
}
