/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The descriptors that are kept open to make later lists fast: given up on EMFILE, forgotten when closed. */
#include <errno.h>

#include "shared/fd_mark.h"
#include "core/device/hf.h"
#include "core/device/scan_lock.h"
#include "core/device/spare_descriptors.h"
#include "core/discovery/netlink.h"
#include "core/notify/change_check.h"

/*
 * A program that becomes a daemon closes every descriptor and may open its own files between two
 * lists: do not use or close the numbers of the old sockets.
 */
void hfi_forget_closed(struct hf *hf)
{
	bool nl = hf->nl && !hfi_fd_is_still(&hf->nl_socket);
	/* Some descriptors cannot be checked, so treat all as closed if one is. */
	bool check = hf->change_check && (nl || !hfi_change_check_is_open(hf->change_check));

	if (!nl && !check)
		return;
	hf_debug(&hf->log, "the program closed the library's descriptors: opening new ones");
	if (nl) {
		hf->lost_nl = hf->nl;
		hf->nl = NULL;
	}
	if (check) {
		hf->lost_change_check = hf->change_check;
		hf->change_check = NULL;
	}
	hf->table.complete = false;
}

bool hfi_give_up_spare(struct hf *hf, int err)
{
	bool listens, had;

	if ((err != -EMFILE && err != -ENFILE) || !hf || !hfi_netlink_lock(hf))
		return false;
	listens = hf->change_check && hfi_change_check_has_descriptors(hf->change_check);
	had = hf->nl || listens;
	if (had && !atomic_exchange(&hf->few_descriptors, true))
		hf_info(&hf->log, "few descriptors are left: keeping none open between lists");
	if (listens) {
		hfi_change_check_free(hf->change_check);
		hf->change_check = NULL;
		hf->table.complete = false;
	}
	hf->nl = hfi_nl_close(hf->nl);
	hf->nl_tried = false;
	hfi_netlink_unlock(hf);
	return had;
}
