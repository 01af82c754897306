/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The naming policies. Names are those of rdma-core's rdma_rename wherever these differ between any
 * two devices.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "naming/naming.h"

static const char *const words[] = {
	[HF_NAME_BY_KERNEL] = "NAME_KERNEL", [HF_NAME_BY_ONBOARD] = "NAME_ONBOARD",
	[HF_NAME_BY_SLOT] = "NAME_SLOT",     [HF_NAME_BY_PCI] = "NAME_PCI",
	[HF_NAME_BY_GUID] = "NAME_GUID",     [HF_NAME_BY_FIXED] = "NAME_FIXED",
};

enum { NUM_WORDS = sizeof(words) / sizeof(words[0]) };

/* The state of one decision. */
struct decision {
	const char *fixed;
	const struct hf_nldev *facts;
	const struct hf_name_hardware *hardware;
	const struct hf_name_trace *trace;
	enum hf_name_policy policy; /* for the policy that is being tried */
	struct hf_name_answer answer;
	bool overflow;
};

const char *hfi_name_policy_word(enum hf_name_policy policy)
{
	return words[policy];
}

static int add_policy(struct hf_name_policies *policies, enum hf_name_policy policy)
{
	if (policies->count == HF_NAME_POLICIES)
		return -EINVAL;
	policies->v[policies->count++] = policy;
	return 0;
}

static int add_word(struct hf_name_policies *policies, const char *word, size_t length)
{
	static const char fallback[] = "NAME_FALLBACK";

	if (length == sizeof(fallback) - 1 && !strncmp(word, fallback, length))
		return add_policy(policies, HF_NAME_BY_ONBOARD) ||
				       add_policy(policies, HF_NAME_BY_PCI)
			       ? -EINVAL
			       : 0;
	for (int i = 0; i < NUM_WORDS; i++)
		if (strlen(words[i]) == length && !strncmp(word, words[i], length))
			return add_policy(policies, (enum hf_name_policy)i);
	return -EINVAL;
}

int hfi_name_parse_policies(const char *text, struct hf_name_policies *ret)
{
	struct hf_name_policies policies = {.count = 0};
	size_t length;

	for (;;) {
		length = strcspn(text, ",");
		if (add_word(&policies, text, length))
			return -EINVAL;
		if (!text[length])
			break;
		text += length + 1;
	}
	*ret = policies;
	return 0;
}

bool hfi_name_has_policy(const struct hf_name_policies *policies, enum hf_name_policy policy)
{
	for (size_t i = 0; i < policies->count; i++)
		if (policies->v[i] == policy)
			return true;
	return false;
}

const char *hfi_name_fault(const char *name)
{
	if (!*name)
		return "it is empty";
	if (strlen(name) >= HF_NAME_SIZE)
		return "it has more than 63 characters";
	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return "it is the name of a directory";
	for (const char *at = name; *at; at++) {
		/*
		 * Reserved: "DEV:PORT" names a port; the kernel replaces "%d" by a number; udev
		 * reads "!" as "/"; udev and systemd remove quotes from words and expand patterns.
		 */
		if (strchr("/:%!'\"\\*?[", *at))
			return "it has one of / : % ! ' \" \\ * ? [";
		if (*at <= ' ' || *at > '~')
			return "it has a space, a control character, or one that is not ASCII";
	}
	return NULL;
}

__attribute__((format(printf, 2, 3))) static void say(struct decision *decision, const char *format,
						      ...)
{
	char sentence[HF_NAME_WHY];
	va_list args;

	if (!decision->trace)
		return;
	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	decision->trace->say(decision->trace->arg, decision->policy, sentence);
}

__attribute__((format(printf, 2, 0))) static void keep_why(struct decision *decision,
							   const char *format, va_list args)
{
	vsnprintf(decision->answer.why, sizeof(decision->answer.why), format, args);
}

/* Records the reason for the name and writes it to the trace. */
__attribute__((format(printf, 2, 3))) static void because(struct decision *decision,
							  const char *format, ...)
{
	va_list args;

	va_start(args, format);
	keep_why(decision, format, args);
	va_end(args);
}

/* Formats a sentence of the explanation and passes it to the trace. */
__attribute__((format(printf, 2, 3))) static void why(struct decision *decision, const char *format,
						      ...)
{
	va_list args;

	va_start(args, format);
	keep_why(decision, format, args);
	va_end(args);
	say(decision, "%s", decision->answer.why);
}

__attribute__((format(printf, 2, 3))) static void append(struct decision *decision,
							 const char *format, ...)
{
	char *name = decision->answer.name;
	size_t length = strlen(name);
	va_list args;
	int more;

	va_start(args, format);
	more = vsnprintf(name + length, HF_NAME_SIZE - length, format, args);
	va_end(args);
	if (more < 0 || (size_t)more >= HF_NAME_SIZE - length)
		decision->overflow = true;
}

/* Each generated name begins with the protocol, or with "rdma" if the kernel does not know it. */
static void begin_name(struct decision *decision)
{
	const char *protocol = decision->facts->protocol;

	decision->answer.name[0] = '\0';
	append(decision, "%s", *protocol ? protocol : "rdma");
}

static int by_kernel(struct decision *decision)
{
	strcpy(decision->answer.name, decision->facts->name);
	why(decision, "the name that it has");
	return 0;
}

static int by_onboard(struct decision *decision)
{
	const struct hf_name_hardware *hardware = decision->hardware;
	const struct hf_name_number *onboard = &hardware->onboard;

	if (hardware->onboard_error == -EBADMSG) {
		why(decision, "the firmware's index in device/%s is not a number",
		    hardware->onboard_error_at);
		return -ENOENT;
	}
	if (hardware->onboard_error) {
		why(decision, "device/%s cannot be read: %s", hardware->onboard_error_at,
		    strerror(-hardware->onboard_error));
		return hardware->onboard_error;
	}
	if (!onboard->there) {
		why(decision, "the firmware gives no index: neither device/acpi_index nor "
			      "device/index is there");
		return -ENOENT;
	}
	if (onboard->value > HF_NAME_ONBOARD_MAX) {
		why(decision, "the firmware's index %" PRIu32 " in device/%s is beyond %d",
		    onboard->value, onboard->from, HF_NAME_ONBOARD_MAX);
		return -ENOENT;
	}
	begin_name(decision);
	append(decision, "o%" PRIu32, onboard->value);
	why(decision, "the firmware's index is %" PRIu32 " (device/%s)", onboard->value,
	    onboard->from);
	return 0;
}

/* 0: there is a PCI function to describe. */
static int want_pci(struct decision *decision)
{
	const struct hf_name_hardware *hardware = decision->hardware;

	if (hardware->bus == HF_NAME_BUS_NONE) {
		why(decision, "it is a virtual device, without hardware to be named by");
		return -ENOENT;
	}
	if (hardware->bus == HF_NAME_BUS_OTHER && !strcmp(hardware->bus_name, "auxiliary")) {
		why(decision,
		    "its parent %s on the auxiliary bus is not a sub-function of a PCI function",
		    hardware->parent);
		return -ENOENT;
	}
	if (hardware->bus == HF_NAME_BUS_OTHER && !*hardware->bus_name) {
		why(decision, "its parent %s is on no bus", hardware->parent);
		return -ENOENT;
	}
	if (hardware->bus == HF_NAME_BUS_OTHER) {
		why(decision, "its parent %s is on the bus \"%s\", not on PCI", hardware->parent,
		    hardware->bus_name);
		return -ENOENT;
	}
	if (hardware->pci_error) {
		why(decision, "%s of its PCI function cannot be used: %s", hardware->pci_error_at,
		    strerror(-hardware->pci_error));
		/* Not "no name": an attribute of an existing function has disappeared. */
		return hardware->pci_error == -ENOENT ? -ENODEV : hardware->pci_error;
	}
	return 0;
}

static void say_pci(struct decision *decision)
{
	const struct hf_name_hardware *hardware = decision->hardware;
	const struct hf_pci_address *self = &hardware->pci_self, *pci = &hardware->pci;

	if (hardware->sf.there)
		say(decision, "its parent %s is sub-function %" PRIu32 " of a PCI function",
		    hardware->parent, hardware->sf.value);
	say(decision, "its PCI function is %04x:%02x:%02x.%x (hexadecimal; names are decimal)",
	    self->domain, self->bus, self->device, self->function);
	if (hardware->vf.there)
		say(decision, "that is virtual function %" PRIu32 " of %04x:%02x:%02x.%x",
		    hardware->vf.value, pci->domain, pci->bus, pci->device, pci->function);
	if (hardware->ari)
		say(decision,
		    "ari_enabled: the function's number is device * 8 + function = %" PRIu32,
		    pci->device * 8 + pci->function);
	say(decision, hardware->multi_function
			      ? "its configuration space says that the device has several functions"
			      : "its configuration space says that the device has one function");
}

/* Appends what follows the device's address in the name. */
static void append_function(struct decision *decision)
{
	const struct hf_name_hardware *hardware = decision->hardware;
	uint32_t function = hardware->pci.function;

	if (hardware->ari)
		function += hardware->pci.device * 8;
	if (function || hardware->multi_function)
		append(decision, "f%" PRIu32, function);
	if (hardware->vf.there)
		append(decision, "v%" PRIu32, hardware->vf.value);
	if (hardware->sf.there)
		append(decision, "S%" PRIu32, hardware->sf.value);
}

static void begin_pci(struct decision *decision)
{
	begin_name(decision);
	if (decision->hardware->pci.domain)
		append(decision, "P%" PRIu32, decision->hardware->pci.domain);
}

static int by_pci(struct decision *decision)
{
	const struct hf_pci_address *pci = &decision->hardware->pci;
	int err = want_pci(decision);

	if (err)
		return err;
	say_pci(decision);
	begin_pci(decision);
	append(decision, "p%" PRIu32 "s%" PRIu32, pci->bus, pci->device);
	append_function(decision);
	because(decision, "PCI function %04x:%02x:%02x.%x", decision->hardware->pci_self.domain,
		decision->hardware->pci_self.bus, decision->hardware->pci_self.device,
		decision->hardware->pci_self.function);
	return 0;
}

static int by_slot(struct decision *decision)
{
	const struct hf_name_hardware *hardware = decision->hardware;
	int err = want_pci(decision);

	if (err)
		return err;
	say_pci(decision);
	if (hardware->slot_error == -ENOTUNIQ) {
		why(decision, "several slots in %s have its address", hardware->slot_error_at);
		return -ENOENT;
	}
	if (hardware->slot_error) {
		why(decision, "%s cannot be read: %s", hardware->slot_error_at,
		    strerror(-hardware->slot_error));
		return hardware->slot_error;
	}
	if (!hardware->slot.there) {
		why(decision, "no slot in bus/pci/slots whose name is a number has its address");
		return -ENOENT;
	}
	begin_pci(decision);
	append(decision, "s%" PRIu32, hardware->slot.value);
	append_function(decision);
	why(decision, "PCI slot %" PRIu32, hardware->slot.value);
	return 0;
}

static int by_guid(struct decision *decision)
{
	if (!decision->facts->node_guid) {
		why(decision, "its node GUID is 0");
		return -ENOENT;
	}
	begin_name(decision);
	append(decision, "x%016" PRIx64, decision->facts->node_guid);
	why(decision, "node GUID %016" PRIx64, decision->facts->node_guid);
	return 0;
}

static int by_fixed(struct decision *decision)
{
	const char *fault;

	if (!decision->fixed) {
		why(decision, "no name was given");
		return -EINVAL;
	}
	fault = hfi_name_fault(decision->fixed);
	if (fault) {
		why(decision, "the given name is not valid: %s", fault);
		return strlen(decision->fixed) >= HF_NAME_SIZE ? -ENAMETOOLONG : -EINVAL;
	}
	strcpy(decision->answer.name, decision->fixed);
	why(decision, "the given name");
	return 0;
}

static int try_policy(struct decision *decision, enum hf_name_policy policy)
{
	static int (*const tries[])(struct decision * decision) = {
		[HF_NAME_BY_KERNEL] = by_kernel, [HF_NAME_BY_ONBOARD] = by_onboard,
		[HF_NAME_BY_SLOT] = by_slot,	 [HF_NAME_BY_PCI] = by_pci,
		[HF_NAME_BY_GUID] = by_guid,	 [HF_NAME_BY_FIXED] = by_fixed,
	};
	const char *fault;
	int err;

	decision->policy = policy;
	err = tries[policy](decision);
	if (!err && decision->overflow) {
		why(decision, "the name would have more than 63 characters");
		err = -ENAMETOOLONG;
	}
	/* A generated name begins with the kernel's word for the protocol. */
	fault = err || policy == HF_NAME_BY_KERNEL ? NULL : hfi_name_fault(decision->answer.name);
	if (fault) {
		why(decision, "the kernel's word for the protocol cannot be in a name: %s", fault);
		err = -EBADMSG;
	}
	if (!err) {
		decision->answer.policy = policy;
		say(decision, "gives %s", decision->answer.name);
	}
	return err;
}

int hfi_name_decide(const struct hf_name_policies *policies, const char *fixed,
		    const struct hf_nldev *facts, const struct hf_name_hardware *hardware,
		    const struct hf_name_trace *trace, struct hf_name_answer *ret)
{
	struct decision decision = {
		.fixed = fixed, .facts = facts, .hardware = hardware, .trace = trace};
	int err = -ENOENT;

	if (facts->name_assign == HF_NAME_ASSIGNED_BY_USER) {
		strcpy(decision.answer.name, facts->name);
		decision.answer.policy = HF_NAME_BY_KERNEL;
		why(&decision, "keeping the name that the user assigned");
		*ret = decision.answer;
		return 0;
	}
	for (size_t i = 0; i < policies->count && err == -ENOENT; i++)
		err = try_policy(&decision, policies->v[i]);
	if (err)
		memcpy(ret->why, decision.answer.why, sizeof(ret->why));
	else
		*ret = decision.answer;
	return err;
}
