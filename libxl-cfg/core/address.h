/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The address book of a domain: which address each of its devices last had,
 * also of those that have left.  A device that comes again finds its address
 * here, and nobody else is given it.
 *
 * An address is the driver's: an object of members that only the driver
 * understands ({"devid": 0}, {"type": "pci", "bus": "0x02", ...}).
 */
#ifndef XLCFG_CORE_ADDRESS_H
#define XLCFG_CORE_ADDRESS_H

#include "core/view.h"

/*
 * How addresses are chosen.  A domain goes on with the choice that it was
 * first recorded with, so that a later one never moves its devices; new
 * numbers are only ever appended.
 *
 *     1  the first that is free in what runs and in what is kept
 *     2  the same, and an address that was given up stays with its device:
 *        it has it again when it comes again, and no other gets it unasked
 */
#define XLCFG__CHOICE_FREE 1
#define XLCFG__CHOICE_KEPT 2
#define XLCFG__CHOICE_NEWEST XLCFG__CHOICE_KEPT

struct xlcfg__address {
    enum xlcfg_kind kind;
    char *match, *key, *alt;    /* of its device, key.h; alt may be NULL */
    xlcfg_doc *address;
    int64_t revision;           /* of the domain when it last had it */
};

struct xlcfg__addresses {
    struct xlcfg__address *v;
    size_t count, room;
    int64_t choice;
    bool any;                   /* asked for: another's may be given, too,
                                   once no other is free */
};

/* address is taken, also on failure.  False: out of memory. */
bool xlcfg__addresses_add(struct xlcfg__addresses *book,
                          enum xlcfg_kind kind, const char *match,
                          const char *key, const char *alt,
                          xlcfg_doc *address, int64_t revision);
void xlcfg__addresses_dispose(struct xlcfg__addresses *book);

/* The row of this device, by its match, or by its second name when that is
 * all that is known of it.  NULL: none, or the choice knows no rows. */
const struct xlcfg__address *
xlcfg__addresses_own(const struct xlcfg__addresses *book,
                     enum xlcfg_kind kind, const struct xlcfg_ident *id);

/*
 * The row that holds the address which makes a device of this kind this
 * match (`nic/3`); NULL: none, or it may be given to the device of this
 * identity.  A device that nothing but a number would tell from others may be
 * any such that has left.
 */
const struct xlcfg__address *
xlcfg__addresses_holder(const struct xlcfg__addresses *book,
                        enum xlcfg_kind kind, const char *match,
                        const struct xlcfg_ident *id);

/* The devices of a kind that have left and have an address in the book, for
 * a message: "usbdev/0.1, usbdev/0.2 and 3 more". */
void xlcfg__addresses_named(const struct xlcfg__addresses *book,
                            enum xlcfg_kind kind,
                            const struct xlcfg_view *live, char *buf,
                            size_t size);

/* body with the members of address that it does not say itself.  NULL: out
 * of memory. */
xlcfg_doc *xlcfg__address_fill(const xlcfg_doc *body,
                               const xlcfg_doc *address);

/*
 * config with what its devices leave open taken from the book, and numbers
 * for those that nobody knows, which no other ever had.  For drivers whose
 * addresses are members of the body.  NULL: out of memory.
 */
xlcfg_doc *xlcfg__addresses_apply(const struct xlcfg__addresses *book,
                                  const xlcfg_doc *config);

#endif
