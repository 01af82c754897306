/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* holdfast doctor: findings, each a problem in one sentence with its remedy, and the checks. */
#ifndef HF_TOOLS_DOCTOR_H
#define HF_TOOLS_DOCTOR_H

#include "tools/common.h"

/* The exit status is 1 if there is a problem or a warning. */
enum hf_severity {
	HF_NOTE,    /* worth knowing */
	HF_WARNING, /* some uses will fail */
	HF_PROBLEM, /* something cannot be used */
};

struct hf_finding {
	enum hf_severity severity;
	const char *code; /* a stable identifier for programs, such as "no-node" */
	char *device;	  /* NULL: concerns the machine */
	char *problem;
	char *remedy;
};

struct hf_findings {
	struct hf_finding *v;
	size_t count;
};

/* Adds a finding. Takes ownership of `problem` and `remedy`; copies `device`. */
void hfi_found(struct hf_findings *findings, enum hf_severity severity, const char *code,
	       const char *device, char *problem, char *remedy);

/* Adds a finding about a device. */
void hfi_found_in(struct hf_findings *findings, enum hf_severity severity, const char *code,
		  const struct hf_device_info *info, char *problem, char *remedy);

/* Quotes a word for a shell. The caller frees the result. */
char *hfi_quote(const char *word);

bool hfi_in_container(void);
/* Whether the root is the kernel's sysfs, so that advice about modules and udev applies. */
bool hfi_is_kernel_root(const char *sysfs);

/* Whether devices of this kind have GUIDs, a cable and a switch: EFA and usNIC have none of their own. */
bool hfi_has_fabric(const struct hf_device_info *info);

/* Checks one root: modules, class directories, nodes. `devices`: the number in all roots. */
void hfi_doctor_root(struct hf_findings *findings, const struct hf_root *root, size_t devices);
/* Reports that librdmacm cannot be used, if one of the devices could be used with it. */
void hfi_doctor_cm(struct hf_findings *findings, const struct hf_root *root,
		   struct ibv_device **devices, size_t count);
/* Reports PCI functions that may support RDMA but whose RDMA module is not loaded. */
void hfi_doctor_hardware(struct hf_findings *findings, const char *sysfs, size_t devices);
/* Checks the limits of this process. */
void hfi_doctor_limits(struct hf_findings *findings);
/* Reports refused providers, or that none is installed. */
void hfi_doctor_providers(struct hf_findings *findings, const struct hf_tool *tool, struct hf *hf,
			  size_t devices);
/* What to do about a device that no provider serves. The caller frees the text. */
char *hfi_doctor_no_provider(const struct hf_tool *tool, struct hf *hf,
			     const struct hf_device_info *info);
/* Checks one device: its reason, an attempt to open it, its ports and GIDs. */
void hfi_doctor_device(struct hf_findings *findings, const struct hf_tool *tool, struct hf *hf,
		       struct ibv_device *device);
/* Reports a port whose network interface is in another network namespace. True if it is. */
bool hfi_doctor_netns(struct hf_findings *findings, struct ibv_device *device,
		      const struct hf_device_info *info, const struct hf_port_info *port);

#endif
