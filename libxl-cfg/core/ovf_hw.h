/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the readers of an OVF's virtual hardware share. */
#ifndef XLCFG_CORE_OVF_HW_H
#define XLCFG_CORE_OVF_HW_H

#include "core/ovf.h"

enum {                          /* of CIM's resource types */
    CPU = 3, MEMORY = 4, IDE = 5, SCSI = 6, NIC = 10, CD = 15, DVD = 16,
    DISK = 17, OTHER_STORAGE = 20,
};

struct xlcfg__hw {
    struct xlcfg__ovf_in *in;
    xmlNodePtr section, disks;          /* disks: the DiskSection */
    char *option;                       /* the deployment to be taken */
    int64_t cpus, kib;                  /* 0: not said */
    xlcfg__items disk_list, nic_list;
};

/* A whole number from 0 to most, blanks around it; -1: it is none. */
int64_t xlcfg__hw_number(const char *text, int64_t most);
/* An item's ResourceType; -1: none, or one that is no number. */
int xlcfg__hw_type(xmlNodePtr item);
bool xlcfg__hw_is_item(xmlNodePtr n);
/* The item that it says it is on; NULL: none. */
xmlNodePtr xlcfg__hw_parent(struct xlcfg__hw *hw, xmlNodePtr item);
/* The disk, or the drive (cd), of an item; what is odd is noted.  false: out
 * of memory. */
bool xlcfg__hw_take_disk(struct xlcfg__hw *hw, xmlNodePtr item, bool cd);

#endif
