/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the files of discovery share. */
#ifndef HF_DISCOVERY_INTERNAL_H
#define HF_DISCOVERY_INTERNAL_H

#include <sys/stat.h>

#include "shared/error.h"
#include "core/discovery/discovery.h"
#include "core/discovery/netlink.h"

/* How often a reading that was disturbed is made again. */
enum { HF_SIGHT_TRIES = 8 };

/* The two class directories of a root, -1 where missing. */
struct hf_classes {
	int verbs;
	int ib;
	int error; /* why one is missing */
};

/* A root without the classes is no error: both are -1 then. */
int hfi_classes_open(const struct hf_search_root *root, struct hf_classes *ret);
void hfi_classes_close(struct hf_classes *classes);

/*
 * The uverbs names of a root in readdir order. A directory that changes may show one twice: all but
 * the first are empty. The caller frees `v`, also after an error.
 */
struct hf_names {
	char (*v)[HF_NAME_SIZE];
	size_t count;
	size_t size;
};
int hfi_names_read(int verbs, struct hf_names *ret);

/* The errors that say that the thing is not there. */
bool hfi_error_is_gone(int err);

/*
 * As hfi_read_file(), with fewer system calls: a text that ends in a newline is taken as complete,
 * as every attribute of the kernel's is. Hands out the open file in *keep unless that is NULL.
 */
ssize_t hfi_attr_read(int dirfd, const char *path, char *value, size_t size, struct stat *st,
		      int *keep);
/* The same once more, from its start, through the open file. */
ssize_t hfi_attr_again(int fd, char *value, size_t size);

/* Texts of attributes; -EINVAL and nothing written unless the whole text is one. */
int hfi_parse_guid(const char *text, uint64_t *ret); /* network byte order */
int hfi_parse_gid(const char *text, union ibv_gid *ret);
int hfi_parse_dev(const char *text, dev_t *ret);
int hfi_parse_state(const char *text, uint32_t *ret); /* "4: ACTIVE" */
int32_t hfi_node_type(uint64_t number);
enum hf_protocol hfi_protocol_of_type(int32_t node_type);

/* What a netlink dump said, ordered by name. */
struct hf_nl_table {
	struct hf_nl_device *v;
	size_t count;
	size_t size;
	bool waited; /* for a char device that did not come */
};

/* Which index a device may have, where no dump was made: see netlink_guess.c. */
struct hf_nl_guesses *hfi_nl_guesses_new(void);
void hfi_nl_guesses_free(struct hf_nl_guesses *guesses);
struct hf_nl_guesses *hfi_nl_guesses(struct hf_nl *nl);
void hfi_nl_guesses_clear(struct hf_nl_guesses *guesses);
/* An answer to go by later: the device of either name has that index. */
void hfi_nl_guess_learn(struct hf_nl_guesses *guesses, const char *name, uint32_t index);
/* The device that has both names now; -ENODEV when it cannot be guessed. */
int hfi_nl_guess(struct hf_nl *nl, const char *uverbs, const char *name, struct hf_nl_device *ret);

int hfi_nl_table_fill(struct hf_nl *nl, struct hf_nl_table *table);
const struct hf_nl_device *hfi_nl_table_find(const struct hf_nl_table *table, const char *name);
void hfi_nl_table_free(struct hf_nl_table *table);

/* What netlink alone knows of a device, as an entry. */
void hfi_nl_entry(const struct hf_nl_device *device, const struct hf_nl_chardev *chardev,
		  struct hf_entry *entry);

/*
 * What netlink knows of all devices of a table, which must stay. -EINVAL where the kernel does not say
 * which char device a device has (before 5.1), and the other errors of hfi_nl_chardev().
 */
struct hf_listing;
int hfi_listing_make(struct hf_nl *nl, const struct hf_nl_table *table, struct hf_listing **ret);
void hfi_listing_free(struct hf_listing *listing);
/* A brief entry; false where netlink is not enough. To be proven by another dump, see listing.c. */
bool hfi_listing_sight(const struct hf_listing *listing, const struct hf_classes *classes,
		       const char *uverbs, struct hf_entry *ret);

/* What netlink has to say of a device that sysfs shows. */
enum hf_match {
	HF_MATCH_NONE = 0, /* netlink was not asked */
	HF_MATCH_ABSENT,   /* no device of this name in the dump */
	HF_MATCH_STALE,	   /* the dump knows the name, but as of another instance */
	HF_MATCH_FOUND,
};

/*
 * Reads one device. `nl` and `table` may be NULL. 0 with an entry, perhaps one with a reason;
 * -ENODEV when there is no such device; fatal errors.
 */
int hfi_sight(const struct hf_classes *classes, struct hf_nl *nl, struct hf_nl_table *table,
	      const char *uverbs, struct hf_entry *ret, enum hf_match *match);

/*
 * Reads of one device what a list needs: name, identity, ABI and node type. 0, or any error: then
 * hfi_sight() has to find out what is the matter.
 */
int hfi_sight_briefly(const struct hf_classes *classes, const char *uverbs, bool calm,
		      struct hf_entry *ret);

/*
 * What comes, goes or is renamed in a tree changes its class directories' stamps. So a scan between
 * whose begin and end they are the same saw one state, and need not prove it for each device.
 */
struct hf_class_stamp {
	uint64_t inode;
	struct timespec mtime;
};
struct hf_calm {
	struct hf_class_stamp verbs;
	struct hf_class_stamp ib;
};
bool hfi_calm_begin(const struct hf_search_root *root, const struct hf_classes *classes,
		    struct hf_calm *calm);
bool hfi_calm_holds(const struct hf_search_root *root, const struct hf_calm *calm);

/* Finds the directory of the instance behind an open uverbsN, see device_dir.c. */
struct hf_binding {
	int uverbs;	/* the held directory */
	int ibdev;	/* its attribute, held for being read again */
	struct stat st; /* of it */
	char name[HF_NAME_SIZE];
};

void hfi_binding_close(struct hf_binding *binding);
/* -ENOENT: there is no uverbsN. Other errors after which `uverbs` is open are of its attribute. */
int hfi_binding_open(const struct hf_classes *classes, const char *uverbs,
		     struct hf_binding *binding);
/*
 * 1 when uverbsN is still the instance of the binding and still has its name, 0 when not. If
 * device_inode is not 0, its directory must still be found under the name as well.
 */
int hfi_binding_holds(const struct hf_classes *classes, const char *uverbs,
		      const struct hf_binding *binding, uint64_t device_inode);

#endif
