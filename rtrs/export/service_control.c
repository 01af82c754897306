/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The files of a service's devices, as those of the kernel's rnbd_server. */
#include <errno.h>
#include <string.h>

#include "rtrs/control/visit.h"
#include "rtrs/export/service_internal.h"
#include "shared/text.h"

static const struct export_session *session_of_handle(const struct rtrs_rnbd_handle *handle)
{
	return hf_container_of(handle->session, struct export_session, rnbd);
}

static void show_handle_read_only(const void *object, struct control_text *text)
{
	const struct rtrs_rnbd_handle *handle = object;

	rtrsi_control_print(text, "%d\n",
			    handle->access == RNBD_READ_ONLY || handle->exported->is_read_only);
}

static void show_handle_access(const void *object, struct control_text *text)
{
	const struct rtrs_rnbd_handle *handle = object;

	rtrsi_control_print(text, "%s\n", rtrsi_rnbd_access_name(handle->access));
}

static void show_handle_path(const void *object, struct control_text *text)
{
	const struct rtrs_rnbd_handle *handle = object;

	rtrsi_control_print(text, "%s\n", handle->path);
}

static void show_force_close(const void *object, struct control_text *text)
{
	(void)object;
	rtrsi_control_show_usage("force_close", text);
}

static int store_force_close(void *object, const char *value, uint64_t *number)
{
	struct rtrs_rnbd_handle *handle = object;
	struct rtrs_export_service *service = session_of_handle(handle)->service;

	(void)number;
	if (!rtrsi_control_is_one(value))
		return -EINVAL;
	rtrsi_rnbd_force_close(&service->rnbd, handle);
	return 0;
}

static const struct rtrs_visit_file handle_files[] = {
	{"access_mode", show_handle_access, NULL},
	{"force_close", show_force_close, store_force_close},
	{"mapping_path", show_handle_path, NULL},
	{"read_only", show_handle_read_only, NULL},
	{0},
};

/* The kernel's name of a block device; of others the path, where a slash cannot be. */
static void name_export(const struct rtrs_rnbd_export *exported, char name[RNBD_PATH_SIZE])
{
	const struct rtrs_backing *backing = exported->user;
	const char *text = exported->path;

	if (backing->is_block_device && backing->place)
		text = hfi_last_component(backing->place);
	if (hfi_copy(name, RNBD_PATH_SIZE, text))
		(void)hfi_copy(name, RNBD_PATH_SIZE, exported->path);
	for (; *name; name++) {
		if (*name == '/')
			*name = '!';
	}
}

static void visit_session(const struct export_session *session,
			  const struct rtrs_rnbd_export *exported, const char *name,
			  struct rtrs_visit *visit)
{
	struct rtrs_rnbd_handle *handle = session->rnbd.handles;

	for (; handle; handle = handle->next) {
		if (handle->exported == exported)
			rtrsi_visit_files(visit, handle_files, handle,
					  "rnbd-server/ctl/devices/%s/sessions/%s", name,
					  session->name);
	}
}

static void visit_export(struct rtrs_export_service *service,
			 const struct rtrs_rnbd_export *exported, struct rtrs_visit *visit)
{
	const struct rtrs_backing *backing = exported->user;
	const struct export_session *session;
	char name[RNBD_PATH_SIZE];

	name_export(exported, name);
	rtrsi_visit_directory(visit, "rnbd-server/ctl/devices/%s", name);
	if (backing->place)
		rtrsi_visit_link(visit, backing->place, "rnbd-server/ctl/devices/%s/block_dev",
				 name);
	rtrsi_visit_directory(visit, "rnbd-server/ctl/devices/%s/sessions", name);
	for (session = service->sessions; session; session = session->hh.next)
		visit_session(session, exported, name, visit);
}

void rtrsi_export_visit(void *user, struct rtrs_visit *visit)
{
	struct rtrs_export_service *service = user;
	const struct rtrs_rnbd_export *exported = service->rnbd.exports;

	for (; exported; exported = exported->next)
		visit_export(service, exported, visit);
}
