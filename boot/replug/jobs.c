/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Jobs of systemd: starts that it has refused, and the stop of rdma-hw.target. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot/replug/jobs.h"

static const char manager[] = "org.freedesktop.systemd1";
static const char unit_interface[] = "org.freedesktop.systemd1.Unit";
static const char target[] = "rdma-hw.target";

struct wanted_unit {
	char *name;
	uint64_t since; /* microseconds: when the last of the devices that want it became active */
};

struct wanted {
	struct wanted_unit *v;
	size_t count;
};

int replug_connect(sd_bus **bus)
{
	int err = sd_bus_new(bus);

	if (err < 0)
		return err;
	err = sd_bus_set_address(*bus, "unix:path=/run/systemd/private");
	if (err >= 0)
		err = sd_bus_start(*bus);
	if (err < 0)
		*bus = sd_bus_unref(*bus);
	return err < 0 ? err : 0;
}

static char *unit_path(const char *unit)
{
	char *path = NULL;

	return sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit, &path) < 0 ? NULL : path;
}

static int get_time(sd_bus *bus, const char *path, const char *property, uint64_t *usec)
{
	return sd_bus_get_property_trivial(bus, manager, path, unit_interface, property, NULL, 't',
					   usec);
}

/* Whether the property has this value. */
static bool is(sd_bus *bus, const char *path, const char *property, const char *value)
{
	char *actual = NULL;
	bool same = sd_bus_get_property_string(bus, manager, path, unit_interface, property, NULL,
					       &actual) >= 0 &&
		    !strcmp(actual, value);

	free(actual);
	return same;
}

enum job { JOB_NONE, JOB_STOP, JOB_OTHER };

static enum job job_of(sd_bus *bus, const char *path)
{
	sd_bus_message *reply = NULL;
	const char *job_path;
	char *type = NULL;
	uint32_t id = 0;
	enum job job = JOB_NONE;

	if (sd_bus_get_property(bus, manager, path, unit_interface, "Job", NULL, &reply, "(uo)") <
	    0)
		return JOB_NONE;
	if (sd_bus_message_read(reply, "(uo)", &id, &job_path) < 0 || !id)
		goto out;
	/* A job that has ended meanwhile counts as none. */
	if (sd_bus_get_property_string(bus, manager, job_path, "org.freedesktop.systemd1.Job",
				       "JobType", NULL, &type) < 0)
		goto out;
	job = !strcmp(type, "stop") ? JOB_STOP : JOB_OTHER;
out:
	free(type);
	sd_bus_message_unref(reply);
	return job;
}

static bool is_refused(sd_bus *bus, const struct wanted_unit *wanted)
{
	char *path = unit_path(wanted->name);
	uint64_t started = 0, checked = 0;
	bool refused = false;
	enum job job;

	if (!path)
		return false;
	/* Query the job first: if a stop ends after this, the unit is not active below. */
	job = job_of(bus, path);
	if (job == JOB_OTHER || !is(bus, path, "LoadState", "loaded"))
		goto out;
	if (job == JOB_NONE && is(bus, path, "ActiveState", "active"))
		goto out;
	/* It was started for these devices, or skipped by a condition, and has ended by itself. */
	if (get_time(bus, path, "InactiveExitTimestampMonotonic", &started) < 0 ||
	    get_time(bus, path, "ConditionTimestampMonotonic", &checked) < 0)
		goto out;
	refused = started < wanted->since && checked < wanted->since;
out:
	free(path);
	return refused;
}

static int change_unit(sd_bus *bus, const char *method, const char *unit)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	/* "replace": cancels the conflicting job. */
	int err = sd_bus_call_method(bus, manager, "/org/freedesktop/systemd1",
				     "org.freedesktop.systemd1.Manager", method, &error, NULL, "ss",
				     unit, "replace");

	if (err < 0)
		fprintf(stderr, "%s %s: %s\n", method, unit,
			error.message ? error.message : strerror(-err));
	sd_bus_error_free(&error);
	return err < 0 ? err : 0;
}

static int want_unit(struct wanted *wanted, const char *unit, uint64_t since)
{
	struct wanted_unit *more;

	for (size_t i = 0; i < wanted->count; i++) {
		if (!strcmp(wanted->v[i].name, unit)) {
			if (wanted->v[i].since < since)
				wanted->v[i].since = since;
			return 0;
		}
	}
	more = reallocarray(wanted->v, wanted->count + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	wanted->v = more;
	more += wanted->count;
	*more = (struct wanted_unit){.name = strdup(unit), .since = since};
	if (!more->name)
		return -ENOMEM;
	wanted->count++;
	return 0;
}

/* Adds the units that a device unit wants, if systemd knows the device. */
static int add_wanted(sd_bus *bus, const char *device_unit, struct wanted *wanted)
{
	char *path = unit_path(device_unit), **units = NULL;
	uint64_t since;
	int err = 0;

	if (!path)
		return -ENOMEM;
	if (!is(bus, path, "ActiveState", "active") ||
	    get_time(bus, path, "ActiveEnterTimestampMonotonic", &since) < 0 ||
	    sd_bus_get_property_strv(bus, manager, path, unit_interface, "Wants", NULL, &units) < 0)
		goto out;
	for (char **unit = units; unit && *unit; unit++) {
		if (!err)
			err = want_unit(wanted, *unit, since);
		free(*unit);
	}
	free(units);
out:
	free(path);
	return err;
}

int replug_start_refused(sd_bus *bus, const struct replug_names *device_units)
{
	struct wanted wanted = {0};
	int err = 0;

	for (size_t i = 0; i < device_units->count && !err; i++)
		err = add_wanted(bus, device_units->v[i], &wanted);
	for (size_t i = 0; i < wanted.count; i++) {
		if (err || !is_refused(bus, &wanted.v[i]))
			continue;
		fprintf(stderr, "starting %s, which systemd had refused\n", wanted.v[i].name);
		/* An error concerns only that unit, and has been printed. */
		change_unit(bus, "StartUnit", wanted.v[i].name);
	}
	for (size_t i = 0; i < wanted.count; i++)
		free(wanted.v[i].name);
	free(wanted.v);
	return err;
}

static bool is_device_unit(const char *unit)
{
	size_t length = strlen(unit);

	return length > 7 && !strcmp(unit + length - 7, ".device");
}

/* Whether a unit that has this dependency of the target is active, starting or stopping. */
static bool is_kept_by(sd_bus *bus, const char *path, const char *dependency)
{
	char **units = NULL;
	bool kept = false;

	if (sd_bus_get_property_strv(bus, manager, path, unit_interface, dependency, NULL, &units) <
	    0)
		return false;
	for (char **unit = units; unit && *unit; unit++) {
		if (!kept && !is_device_unit(*unit)) {
			char *other = unit_path(*unit);

			kept = other && !is(bus, other, "ActiveState", "inactive") &&
			       !is(bus, other, "ActiveState", "failed");
			free(other);
		}
		free(*unit);
	}
	free(units);
	return kept;
}

int replug_stop_target(sd_bus *bus)
{
	char *path = unit_path(target);
	int err = 0;

	if (!path)
		return -ENOMEM;
	if (job_of(bus, path) == JOB_NONE && !is(bus, path, "ActiveState", "active"))
		goto out;
	if (!is_kept_by(bus, path, "WantedBy") && !is_kept_by(bus, path, "RequiredBy") &&
	    !is_kept_by(bus, path, "BoundBy"))
		err = change_unit(bus, "StopUnit", target);
out:
	free(path);
	return err;
}
