/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the doctor finds: a problem in one sentence, and what to do about it. */
#ifndef HF_TOOLS_DOCTOR_H
#define HF_TOOLS_DOCTOR_H

#include "tools/common.h"

/* Problems and warnings make the exit status 1. */
enum hf_severity {
	HF_NOTE,    /* worth knowing */
	HF_WARNING, /* will hinder some uses */
	HF_PROBLEM, /* something cannot be used */
};

struct hf_finding {
	enum hf_severity severity;
	const char *code; /* stable, for programs: "no-node" */
	char *device;	  /* NULL: of the machine */
	char *problem;
	char *remedy;
};

struct hf_findings {
	struct hf_finding *v;
	size_t count;
};

/* Takes `problem` and `remedy` over; copies `device`. */
void hfi_found(struct hf_findings *findings, enum hf_severity severity, const char *code,
	       const char *device, char *problem, char *remedy);

/* The same of a device. */
void hfi_found_in(struct hf_findings *findings, enum hf_severity severity, const char *code,
		  const struct hf_device_info *info, char *problem, char *remedy);

/* A word that can be pasted into a shell, whatever name it is; the caller frees it. */
char *hfi_quote(const char *word);

bool hfi_in_container(void);
/* Whether the root is the kernel's own sysfs, where modules can be loaded and nodes made. */
bool hfi_is_kernel_root(const char *sysfs);

/* One root: modules, class directories, nodes. `devices`: how many there are in all roots. */
void hfi_doctor_root(struct hf_findings *findings, const struct hf_root *root, size_t devices);
/* PCI functions that could do RDMA, were their module loaded. */
void hfi_doctor_hardware(struct hf_findings *findings, const char *sysfs, size_t devices);
/* Limits of this process. */
void hfi_doctor_limits(struct hf_findings *findings);
/* Providers that were refused, or that there are none. */
void hfi_doctor_providers(struct hf_findings *findings, const struct hf_tool *tool, struct hf *hf,
			  size_t devices);
/* One device: its reason, an attempt to open it, its ports and GIDs. */
void hfi_doctor_device(struct hf_findings *findings, const struct hf_tool *tool,
		       struct ibv_device *device);

#endif
