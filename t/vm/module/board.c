// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Devices that a machine may have at boot, for tests: RDMA devices of any protocol, below one of QEMU's
 * PCI functions, below a sub-function, or without a parent; drivers of any name for those functions;
 * netdevs that report any driver. None of them transfers data.
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
#include <rdma/ib_verbs.h>

#include "board.h"

#define LINE 256

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

static LIST_HEAD(things);
static DEFINE_MUTEX(lock);

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

/* --- adding and removing ---------------------------------------------------------------------- */

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

void thing_add(struct thing *thing, enum kind kind)
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
		/* Removing the driver removes the devices on its functions, which needs the lock. */
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

/* Removes a device, also when its sub-function or its virtual function's physical function is removed. */
static bool is_below(struct device *dev, struct device *top)
{
	return dev && (dev == top || dev->parent == top ||
		       (dev_is_pci(dev) && dev_is_pci(top) &&
			pci_physfn(to_pci_dev(dev)) == to_pci_dev(top)));
}

/* Removes RDMA devices before their parents. */
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

struct device *parent_get(const char *name)
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

char *value_of(char *word, const char *key)
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

/* --- control ---------------------------------------------------------------------------------- */

static int delete_thing(const char *name)
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
			/* The lock was released, so the list may have changed. */
			if (all)
				goto again;
			return 0;
		}
	}
	return err;
}

static ssize_t board_control_write(struct file *file, const char __user *from, size_t length,
				   loff_t *pos)
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
		err = delete_thing(name);
	mutex_unlock(&lock);
	return err ? err : length;
}

static const struct file_operations control_ops = {
	.owner = THIS_MODULE,
	.write = board_control_write,
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
	delete_thing("all");
	mutex_unlock(&lock);
}

module_init(board_init);
module_exit(board_exit);
MODULE_DESCRIPTION(
	"RDMA devices, functions' drivers and netdevs as a machine may have them, for tests");
MODULE_LICENSE("Dual BSD/GPL");
