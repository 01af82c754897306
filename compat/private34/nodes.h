/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * One function under the version nodes of several private ABIs. It stands before a definition; the function must be
 * declared before. The object's own name of the function is another one, private_NAME: the linker drops a version of
 * a symbol that has the name itself. gcc needs an attribute per version where it optimises at link time, and clang
 * knows the assembler's directive alone.
 */
#ifndef HF_COMPAT_PRIVATE34_NODES_H
#define HF_COMPAT_PRIVATE34_NODES_H

#if defined(__clang__)
#define HF_NODE(impl, version) __asm__(".symver private_" #impl ", " version);
#else
#define HF_NODE(impl, version) __attribute__((symver(version)))
#endif
#define HF_LABEL(impl) extern __typeof__(impl)(impl) __asm__("private_" #impl);
#define HF_VISIBLE     __attribute__((visibility("default")))

/* `name` of a node, by the function `impl`. The one of node 34 is what a program gets that asks for no version. */
#define HF_NODE_34(impl, name) HF_NODE(impl, #name "@@IBVERBS_PRIVATE_34")
#define HF_NODE_57(impl, name) HF_NODE(impl, #name "@IBVERBS_PRIVATE_57")
#define HF_NODE_59(impl, name) HF_NODE(impl, #name "@IBVERBS_PRIVATE_59")
#define HF_NODE_64(impl, name) HF_NODE(impl, #name "@IBVERBS_PRIVATE_64")
#define HF_NODE_65(impl, name) HF_NODE(impl, #name "@IBVERBS_PRIVATE_65")

#define HF_IN_34(name)	       HF_LABEL(name) HF_NODE_34(name, name) HF_VISIBLE
#define HF_TO_57(name)	       HF_LABEL(name) HF_NODE_34(name, name) HF_NODE_57(name, name) HF_VISIBLE
#define HF_TO_59(name) \
	HF_LABEL(name) \
	HF_NODE_34(name, name) HF_NODE_57(name, name) HF_NODE_59(name, name) HF_VISIBLE
#define HF_IN_ALL(name)        \
	HF_LABEL(name)         \
	HF_NODE_34(name, name) \
	HF_NODE_57(name, name) \
	HF_NODE_59(name, name) HF_NODE_64(name, name) HF_NODE_65(name, name) HF_VISIBLE

#define HF_NODES_SINCE_64(impl, name) HF_NODE_64(impl, name) HF_NODE_65(impl, name)
#define HF_NODES_SINCE_59(impl, name) HF_NODE_59(impl, name) HF_NODES_SINCE_64(impl, name)

/* Another form of a function that node 34 has as well, or one that it does not have. */
#define HF_IN_57(impl, name)	HF_LABEL(impl) HF_NODE_57(impl, name) HF_VISIBLE
#define HF_SINCE_59(impl, name) HF_LABEL(impl) HF_NODES_SINCE_59(impl, name) HF_VISIBLE
#define HF_SINCE_64(impl, name) HF_LABEL(impl) HF_NODES_SINCE_64(impl, name) HF_VISIBLE
#define HF_SINCE_65(impl, name) HF_LABEL(impl) HF_NODE_65(impl, name) HF_VISIBLE

/* A function with one version: the map gives it. */
#define HF_IN_ONE HF_VISIBLE

#endif
