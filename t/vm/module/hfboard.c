// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What a machine may find at boot, for tests: RDMA devices of any protocol, below a PCI function that
 * QEMU offers, below a sub-function, or below nothing; drivers of any name for those functions; netdevs
 * that report any driver. Nothing of it moves data.
 *
 * Lines written to /dev/hfboard, one at a time:
 *   driver NAME				a PCI driver; bind it by driver_override
 *   sf NUMBER ID PCI			mlx5_core.sf.ID with that sfnum below a PCI function
 *   rdma NAME KEY=VALUE...		proto=PROTOCOL[,PROTOCOL...], one a port: ib opa roce iw usnic none
 *					parent=DEVICE, guid=HEX, desc=TEXT, mad=1 (management datagrams)
 *   net NAME KEY=VALUE...		driver=NAME, parent=DEVICE
 *   del NAME				one of them, by its present name; or all
 * DEVICE is a PCI address or a sub-function's mlx5_core.sf.ID.
 */
#include <linux/auxiliary_bus.h>
#include <linux/etherdevice.h>
#include <linux/ethtool.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <rdma/ib_mad.h>
#include <rdma/ib_verbs.h>
#include <rdma/uverbs_ioctl.h>

#define NAME	  "hfboard"
#define MAX_PORTS 4
#define LINE	  256

enum kind { DRIVER, SF, NET, RDMA, KINDS };

struct thing {
	struct list_head list;
	enum kind kind;
	struct device *parent; /* counted */
};

struct driver {
	struct thing thing;
	struct pci_driver pci;
	char name[32];
};

struct sf {
	struct thing thing;
	struct auxiliary_device aux;
	u32 number;
};

struct nic {
	struct net_device *dev;
	struct thing thing;
	char driver[32];
};

struct board {
	struct ib_device ib;
	struct thing thing;
	u32 caps[MAX_PORTS];
};

struct ucontext {
	struct ib_ucontext ib;
};

struct pd {
	struct ib_pd ib;
};

struct cq {
	struct ib_cq ib;
};

struct qp {
	struct ib_qp ib;
};

static LIST_HEAD(things);
static DEFINE_MUTEX(lock);
static atomic_t last_qpn = ATOMIC_INIT(1);

/* --- RDMA devices ----------------------------------------------------------------------------- */

static const struct {
	const char *name;
	u32 caps;
	u8 node_type;
} protocols[] = {
	{"ib", RDMA_CORE_CAP_PROT_IB, RDMA_NODE_IB_CA},
	{"opa", RDMA_CORE_CAP_PROT_IB | RDMA_CORE_CAP_OPA_MAD, RDMA_NODE_IB_CA},
	{"roce", RDMA_CORE_CAP_PROT_ROCE | RDMA_CORE_CAP_PROT_ROCE_UDP_ENCAP, RDMA_NODE_IB_CA},
	{"iw", RDMA_CORE_CAP_PROT_IWARP, RDMA_NODE_RNIC},
	{"usnic", RDMA_CORE_PORT_USNIC, RDMA_NODE_USNIC_UDP},
	{"none", RDMA_CORE_PORT_RAW_PACKET, RDMA_NODE_UNSPECIFIED},
};

static struct board *board_of(struct ib_device *ib)
{
	return container_of(ib, struct board, ib);
}

static int board_query_device(struct ib_device *ib, struct ib_device_attr *attr,
			      struct ib_udata *udata)
{
	memset(attr, 0, sizeof(*attr));
	attr->kernel_cap_flags = IBK_LOCAL_DMA_LKEY;
	attr->max_qp = 64;
	attr->max_qp_wr = 1024;
	attr->max_send_sge = 4;
	attr->max_recv_sge = 4;
	attr->max_cq = 64;
	attr->max_cqe = 4096;
	attr->max_pd = 64;
	attr->max_pkeys = 1;
	/* One number for all functions of a card, as real ones have. */
	attr->sys_image_guid = cpu_to_be64(0x5254000000000001ULL);
	return 0;
}

static int board_query_port(struct ib_device *ib, u32 port, struct ib_port_attr *attr)
{
	attr->state = IB_PORT_ACTIVE;
	attr->phys_state = IB_PORT_PHYS_STATE_LINK_UP;
	attr->max_mtu = IB_MTU_4096;
	attr->active_mtu = IB_MTU_4096;
	attr->lid = 1;
	attr->gid_tbl_len = 1;
	attr->pkey_tbl_len = 1;
	attr->max_msg_sz = 1 << 20;
	attr->active_width = IB_WIDTH_1X;
	attr->active_speed = IB_SPEED_SDR;
	return 0;
}

static int board_port_immutable(struct ib_device *ib, u32 port, struct ib_port_immutable *immutable)
{
	immutable->gid_tbl_len = 1;
	immutable->pkey_tbl_len = 1;
	immutable->core_cap_flags = board_of(ib)->caps[port - 1];
	if (immutable->core_cap_flags & RDMA_CORE_CAP_IB_MAD)
		immutable->max_mad_size = immutable->core_cap_flags & RDMA_CORE_CAP_OPA_MAD
						  ? OPA_MGMT_MAD_SIZE
						  : IB_MGMT_MAD_SIZE;
	return 0;
}

static enum rdma_link_layer board_link_layer(struct ib_device *ib, u32 port)
{
	return board_of(ib)->caps[port - 1] & RDMA_CORE_CAP_PROT_IB ? IB_LINK_LAYER_INFINIBAND
								    : IB_LINK_LAYER_ETHERNET;
}

static int board_query_gid(struct ib_device *ib, u32 port, int index, union ib_gid *gid)
{
	gid->global.subnet_prefix = cpu_to_be64(0xfe80000000000000ULL);
	gid->global.interface_id = ib->node_guid;
	return 0;
}

static int board_add_gid(const struct ib_gid_attr *attr, void **context)
{
	return 0;
}

static int board_query_pkey(struct ib_device *ib, u32 port, u16 index, u16 *pkey)
{
	*pkey = 0xffff;
	return 0;
}

static int board_modify_device(struct ib_device *ib, int mask, struct ib_device_modify *modify)
{
	if (mask & ~IB_DEVICE_MODIFY_NODE_DESC)
		return -EOPNOTSUPP;
	memcpy(ib->node_desc, modify->node_desc, sizeof(ib->node_desc));
	return 0;
}

static int board_alloc_ucontext(struct ib_ucontext *ib, struct ib_udata *udata)
{
	return 0;
}

static void board_dealloc_ucontext(struct ib_ucontext *ib)
{
}

static int board_alloc_pd(struct ib_pd *pd, struct ib_udata *udata)
{
	return 0;
}

static int board_dealloc_pd(struct ib_pd *pd, struct ib_udata *udata)
{
	return 0;
}

static int board_create_cq(struct ib_cq *cq, const struct ib_cq_init_attr *attr,
			   struct ib_udata *udata)
{
	cq->cqe = attr->cqe;
	return 0;
}

static int board_destroy_cq(struct ib_cq *cq, struct ib_udata *udata)
{
	return 0;
}

static int board_poll_cq(struct ib_cq *cq, int count, struct ib_wc *wc)
{
	return 0;
}

static int board_req_notify_cq(struct ib_cq *cq, enum ib_cq_notify_flags flags)
{
	return 0;
}

static int board_create_qp(struct ib_qp *qp, struct ib_qp_init_attr *init, struct ib_udata *udata)
{
	qp->qp_num = init->qp_type <= IB_QPT_GSI ? init->qp_type : atomic_inc_return(&last_qpn);
	return 0;
}

static int board_modify_qp(struct ib_qp *qp, struct ib_qp_attr *attr, int mask,
			   struct ib_udata *udata)
{
	return 0;
}

static int board_destroy_qp(struct ib_qp *qp, struct ib_udata *udata)
{
	return 0;
}

/* Refused at once: what waited for a completion would keep the device from going. */
static int board_post_send(struct ib_qp *qp, const struct ib_send_wr *wr,
			   const struct ib_send_wr **bad)
{
	*bad = wr;
	return -EIO;
}

static int board_post_recv(struct ib_qp *qp, const struct ib_recv_wr *wr,
			   const struct ib_recv_wr **bad)
{
	return 0;
}

static struct ib_mr *board_get_dma_mr(struct ib_pd *pd, int access)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static struct ib_mr *board_reg_user_mr(struct ib_pd *pd, u64 start, u64 length, u64 virt_addr,
				       int access, struct ib_udata *udata)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static int board_dereg_mr(struct ib_mr *mr, struct ib_udata *udata)
{
	return 0;
}

static const struct ib_device_ops board_ops = {
	.owner = THIS_MODULE,
	.driver_id = RDMA_DRIVER_UNKNOWN,
	.uverbs_abi_ver = 2, /* RXE_UVERBS_ABI_VERSION: see board_mad_ops */
	.add_gid = board_add_gid,
	.alloc_pd = board_alloc_pd,
	.alloc_ucontext = board_alloc_ucontext,
	.dealloc_pd = board_dealloc_pd,
	.dealloc_ucontext = board_dealloc_ucontext,
	.disassociate_ucontext = board_dealloc_ucontext,
	.get_link_layer = board_link_layer,
	.get_port_immutable = board_port_immutable,
	.modify_device = board_modify_device,
	.query_device = board_query_device,
	.query_gid = board_query_gid,
	.query_pkey = board_query_pkey,
	.query_port = board_query_port,
	INIT_RDMA_OBJ_SIZE(ib_pd, pd, ib),
	INIT_RDMA_OBJ_SIZE(ib_ucontext, ucontext, ib),
};

/*
 * What the kernel's own clients need, before they take up a device. With a driver that libibverbs knows:
 * the distribution's daemons open the device, too.
 */
static const struct ib_device_ops board_mad_ops = {
	.driver_id = RDMA_DRIVER_RXE,
	.create_cq = board_create_cq,
	.create_qp = board_create_qp,
	.dereg_mr = board_dereg_mr,
	.destroy_cq = board_destroy_cq,
	.destroy_qp = board_destroy_qp,
	.get_dma_mr = board_get_dma_mr,
	.modify_qp = board_modify_qp,
	.poll_cq = board_poll_cq,
	.post_recv = board_post_recv,
	.post_send = board_post_send,
	.reg_user_mr = board_reg_user_mr,
	.req_notify_cq = board_req_notify_cq,
	INIT_RDMA_OBJ_SIZE(ib_cq, cq, ib),
	INIT_RDMA_OBJ_SIZE(ib_qp, qp, ib),
};

/* --- netdevs ---------------------------------------------------------------------------------- */

static netdev_tx_t net_xmit(struct sk_buff *skb, struct net_device *dev)
{
	dev_kfree_skb(skb);
	return NETDEV_TX_OK;
}

static const struct net_device_ops net_ops = {
	.ndo_start_xmit = net_xmit,
	.ndo_set_mac_address = eth_mac_addr,
	.ndo_validate_addr = eth_validate_addr,
};

static void net_drvinfo(struct net_device *dev, struct ethtool_drvinfo *info)
{
	struct nic *nic = netdev_priv(dev);

	strscpy(info->driver, nic->driver, sizeof(info->driver));
}

static const struct ethtool_ops net_ethtool_ops = {
	.get_drvinfo = net_drvinfo,
};

/* --- their coming and going ------------------------------------------------------------------- */

static const char *name_of(struct thing *thing)
{
	switch (thing->kind) {
	case DRIVER:
		return container_of(thing, struct driver, thing)->name;
	case SF:
		return dev_name(&container_of(thing, struct sf, thing)->aux.dev);
	case NET:
		return netdev_name(container_of(thing, struct nic, thing)->dev);
	default:
		return dev_name(&container_of(thing, struct board, thing)->ib.dev);
	}
}

static void thing_add(struct thing *thing, enum kind kind)
{
	thing->kind = kind;
	list_add_tail(&thing->list, &things);
}

static void thing_remove(struct thing *thing)
{
	struct device *parent = thing->parent;
	struct driver *driver;
	struct board *board;
	struct nic *nic;
	struct sf *sf;

	list_del(&thing->list);
	switch (thing->kind) {
	case DRIVER:
		driver = container_of(thing, struct driver, thing);
		/* It takes away what is on its functions, which needs the lock. */
		mutex_unlock(&lock);
		pci_unregister_driver(&driver->pci);
		mutex_lock(&lock);
		kfree(driver);
		break;
	case SF:
		sf = container_of(thing, struct sf, thing);
		auxiliary_device_delete(&sf->aux);
		auxiliary_device_uninit(&sf->aux);
		break;
	case NET:
		nic = container_of(thing, struct nic, thing);
		unregister_netdev(nic->dev);
		free_netdev(nic->dev);
		break;
	default:
		board = container_of(thing, struct board, thing);
		ib_unregister_device(&board->ib);
		ib_dealloc_device(&board->ib);
	}
	put_device(parent);
}

/* By itself, by a sub-function, or by a virtual function, which goes with its physical one. */
static bool is_below(struct device *dev, struct device *top)
{
	return dev && (dev == top || dev->parent == top ||
		       (dev_is_pci(dev) && dev_is_pci(top) &&
			pci_physfn(to_pci_dev(dev)) == to_pci_dev(top)));
}

/* RDMA devices before what they stand on. */
static void remove_below(struct device *top)
{
	struct thing *thing;
	struct thing *next;
	enum kind kind;

	for (kind = KINDS; kind-- > SF;) {
		list_for_each_entry_safe(thing, next, &things, list)
		{
			if (thing->kind == kind && is_below(thing->parent, top))
				thing_remove(thing);
		}
	}
}

static int driver_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	return 0;
}

static void driver_remove(struct pci_dev *pdev)
{
	mutex_lock(&lock);
	remove_below(&pdev->dev);
	mutex_unlock(&lock);
	pci_disable_sriov(pdev);
}

static int driver_add(const char *name)
{
	struct driver *driver = kzalloc(sizeof(*driver), GFP_KERNEL);
	int err;

	if (!driver)
		return -ENOMEM;
	strscpy(driver->name, name, sizeof(driver->name));
	driver->pci.name = driver->name;
	driver->pci.probe = driver_probe;
	driver->pci.remove = driver_remove;
	driver->pci.sriov_configure = pci_sriov_configure_simple;
	err = pci_register_driver(&driver->pci);
	if (err) {
		kfree(driver);
		return err;
	}
	thing_add(&driver->thing, DRIVER);
	return 0;
}

static struct device *parent_get(const char *name)
{
	struct thing *thing;
	struct device *dev;

	dev = bus_find_device_by_name(&pci_bus_type, NULL, name);
	if (dev)
		return dev;
	list_for_each_entry(thing, &things, list)
	{
		if (thing->kind == SF && !strcmp(name_of(thing), name))
			return get_device(&container_of(thing, struct sf, thing)->aux.dev);
	}
	return NULL;
}

static ssize_t sfnum_show(struct device *dev, struct device_attribute *attr, char *text)
{
	struct sf *sf = container_of(to_auxiliary_dev(dev), struct sf, aux);

	return sysfs_emit(text, "%u\n", sf->number);
}
static DEVICE_ATTR_RO(sfnum);

static struct attribute *sf_attrs[] = {
	&dev_attr_sfnum.attr,
	NULL,
};
ATTRIBUTE_GROUPS(sf);

static void sf_release(struct device *dev)
{
	kfree(container_of(to_auxiliary_dev(dev), struct sf, aux));
}

static int sf_add(u32 number, u32 id, const char *parent)
{
	struct sf *sf = kzalloc(sizeof(*sf), GFP_KERNEL);
	int err = -ENODEV;

	if (!sf)
		return -ENOMEM;
	sf->number = number;
	sf->thing.parent = parent_get(parent);
	if (!sf->thing.parent)
		goto err_free;
	sf->aux.name = "sf";
	sf->aux.id = id;
	sf->aux.dev.parent = sf->thing.parent;
	sf->aux.dev.groups = sf_groups;
	sf->aux.dev.release = sf_release;
	err = auxiliary_device_init(&sf->aux);
	if (err)
		goto err_put;
	err = __auxiliary_device_add(&sf->aux, "mlx5_core");
	if (err) {
		put_device(sf->thing.parent);
		auxiliary_device_uninit(&sf->aux);
		return err;
	}
	thing_add(&sf->thing, SF);
	return 0;

err_put:
	put_device(sf->thing.parent);
err_free:
	kfree(sf);
	return err;
}

/* NULL, or the value if the word is KEY=VALUE. */
static char *value_of(char *word, const char *key)
{
	size_t length = strlen(key);

	return !strncmp(word, key, length) && word[length] == '=' ? word + length + 1 : NULL;
}

static int net_add(const char *name, char *words)
{
	struct net_device *dev = alloc_etherdev(sizeof(struct nic));
	struct nic *nic;
	char *value;
	char *word;
	int err = -EINVAL;

	if (!dev)
		return -ENOMEM;
	nic = netdev_priv(dev);
	nic->dev = dev;
	strscpy(dev->name, name, IFNAMSIZ);
	dev->netdev_ops = &net_ops;
	dev->ethtool_ops = &net_ethtool_ops;
	eth_hw_addr_random(dev);
	while ((word = strsep(&words, " "))) {
		if ((value = value_of(word, "driver"))) {
			strscpy(nic->driver, value, sizeof(nic->driver));
		} else if ((value = value_of(word, "parent")) && !nic->thing.parent) {
			nic->thing.parent = parent_get(value);
			if (!nic->thing.parent)
				goto err_free;
			SET_NETDEV_DEV(dev, nic->thing.parent);
		} else {
			goto err_free;
		}
	}
	err = register_netdev(dev);
	if (err)
		goto err_free;
	thing_add(&nic->thing, NET);
	return 0;

err_free:
	put_device(nic->thing.parent);
	free_netdev(dev);
	return err;
}

static int board_protocols(struct board *board, char *names)
{
	struct ib_device *ib = &board->ib;
	char *name;
	int i;

	ib->phys_port_cnt = 0;
	while ((name = strsep(&names, ","))) {
		for (i = 0; i < ARRAY_SIZE(protocols) && strcmp(protocols[i].name, name); i++)
			;
		if (i == ARRAY_SIZE(protocols) || ib->phys_port_cnt == MAX_PORTS)
			return -EINVAL;
		if (!ib->phys_port_cnt)
			ib->node_type = protocols[i].node_type;
		board->caps[ib->phys_port_cnt++] = protocols[i].caps;
	}
	return 0;
}

static int board_option(struct board *board, char *word)
{
	char *value;
	u64 guid;
	int err;
	int i;

	if ((value = value_of(word, "proto")))
		return board_protocols(board, value);
	if ((value = value_of(word, "guid"))) {
		err = kstrtou64(value, 16, &guid);
		board->ib.node_guid = cpu_to_be64(guid);
		return err;
	}
	if ((value = value_of(word, "desc"))) {
		strscpy(board->ib.node_desc, value, sizeof(board->ib.node_desc));
		return 0;
	}
	if ((value = value_of(word, "parent")) && !board->thing.parent) {
		board->thing.parent = parent_get(value);
		board->ib.dev.parent = board->thing.parent;
		return board->thing.parent ? 0 : -ENODEV;
	}
	if ((value = value_of(word, "mad"))) {
		ib_set_device_ops(&board->ib, &board_mad_ops);
		for (i = 0; i < board->ib.phys_port_cnt; i++)
			/* The kernel gives nobody the port's QP 1 without IB_CM. */
			board->caps[i] |= RDMA_CORE_CAP_IB_MAD | RDMA_CORE_CAP_IB_SMI |
					  RDMA_CORE_CAP_IB_CM;
		return 0;
	}
	return -EINVAL;
}

static int board_add(const char *name, char *words)
{
	struct board *board = ib_alloc_device(board, ib);
	char *word;
	u32 port;
	int err = 0;

	if (!board)
		return -ENOMEM;
	board->ib.num_comp_vectors = 1;
	strscpy(board->ib.node_desc, NAME, sizeof(board->ib.node_desc));
	ib_set_device_ops(&board->ib, &board_ops);
	board_protocols(board, (char[]){"ib"});
	while (!err && (word = strsep(&words, " ")))
		err = board_option(board, word);
	/* The kernel asks for the netdev of an iWARP port. */
	for (port = 1; !err && port <= board->ib.phys_port_cnt; port++) {
		if (board->caps[port - 1] & RDMA_CORE_CAP_PROT_IWARP)
			err = ib_device_set_netdev(&board->ib, init_net.loopback_dev, port);
	}
	if (!err)
		err = ib_register_device(&board->ib, name, NULL);
	if (err) {
		put_device(board->thing.parent);
		ib_dealloc_device(&board->ib);
		return err;
	}
	thing_add(&board->thing, RDMA);
	return 0;
}

/* --- control ---------------------------------------------------------------------------------- */

static int del(const char *name)
{
	bool all = !strcmp(name, "all");
	int err = all ? 0 : -ENODEV;
	struct thing *thing;
	struct thing *next;
	enum kind kind;

	for (kind = KINDS; kind-- > 0;) {
again:
		list_for_each_entry_safe(thing, next, &things, list)
		{
			if (thing->kind != kind || (!all && strcmp(name_of(thing), name)))
				continue;
			if (kind == SF)
				remove_below(&container_of(thing, struct sf, thing)->aux.dev);
			thing_remove(thing);
			err = 0;
			/* The list may have changed meanwhile. */
			if (all)
				goto again;
			return 0;
		}
	}
	return err;
}

static ssize_t control_write(struct file *file, const char __user *from, size_t length, loff_t *pos)
{
	char text[LINE] = {};
	u32 number;
	u32 id;
	char *words;
	char *verb;
	char *name;
	int err = -EINVAL;

	if (length >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, from, length))
		return -EFAULT;
	words = strim(text);
	verb = strsep(&words, " ");
	name = strsep(&words, " ");
	if (!name || !*name)
		return -EINVAL;
	mutex_lock(&lock);
	if (!strcmp(verb, "driver"))
		err = driver_add(name);
	else if (!strcmp(verb, "sf") && !kstrtou32(name, 10, &number) &&
		 (name = strsep(&words, " ")) && !kstrtou32(name, 10, &id) && words)
		err = sf_add(number, id, words);
	else if (!strcmp(verb, "net"))
		err = net_add(name, words);
	else if (!strcmp(verb, "rdma"))
		err = board_add(name, words);
	else if (!strcmp(verb, "del"))
		err = del(name);
	mutex_unlock(&lock);
	return err ? err : length;
}

static const struct file_operations control_ops = {
	.owner = THIS_MODULE,
	.write = control_write,
};

static struct miscdevice control = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = NAME,
	.fops = &control_ops,
};

static int __init board_init(void)
{
	return misc_register(&control);
}

static void __exit board_exit(void)
{
	misc_deregister(&control);
	mutex_lock(&lock);
	del("all");
	mutex_unlock(&lock);
}

module_init(board_init);
module_exit(board_exit);
MODULE_DESCRIPTION(
	"RDMA devices, functions' drivers and netdevs as a machine may have them, for tests");
MODULE_LICENSE("Dual BSD/GPL");
