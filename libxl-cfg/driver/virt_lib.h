/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libvirt, loaded when it is first asked for: whoever asks about Xen alone
 * does not pay for it (two thirds of a program's start), nor needs it to be
 * installed.
 *
 * Every function of libvirt's that the driver calls has two lines here.  One
 * that has none is called as ever, and fails to link.
 */
#ifndef XLCFG_DRIVER_VIRT_LIB_H
#define XLCFG_DRIVER_VIRT_LIB_H

#include "libxl_cfg.h"

#include <libvirt/libvirt.h>
#include <libvirt/libvirt-qemu.h>
#include <libvirt/virterror.h>

#define XLCFG__VIR_CALLS(X) \
    X(virConnectClose) \
    X(virConnectDomainEventDeregisterAny) \
    X(virConnectDomainEventRegisterAny) \
    X(virConnectGetAllDomainStats) \
    X(virConnectGetCapabilities) \
    X(virConnectGetLibVersion) \
    X(virConnectGetType) \
    X(virConnectIsAlive) \
    X(virConnectListAllDomains) \
    X(virConnectOpenAuth) \
    X(virConnectRef) \
    X(virConnectRegisterCloseCallback) \
    X(virConnectSetKeepAlive) \
    X(virConnectUnregisterCloseCallback) \
    X(virDomainAttachDeviceFlags) \
    X(virDomainBackupGetXMLDesc) \
    X(virDomainCreate) \
    X(virDomainCreateXML) \
    X(virDomainDefineXMLFlags) \
    X(virDomainDetachDeviceAlias) \
    X(virDomainDetachDeviceFlags) \
    X(virDomainFree) \
    X(virDomainGetBlockInfo) \
    X(virDomainGetConnect) \
    X(virDomainGetControlInfo) \
    X(virDomainGetID) \
    X(virDomainGetJobInfo) \
    X(virDomainGetName) \
    X(virDomainGetState) \
    X(virDomainGetUUIDString) \
    X(virDomainGetXMLDesc) \
    X(virDomainHasManagedSaveImage) \
    X(virDomainIsActive) \
    X(virDomainIsPersistent) \
    X(virDomainListGetStats) \
    X(virDomainLookupByID) \
    X(virDomainLookupByName) \
    X(virDomainLookupByUUIDString) \
    X(virDomainRef) \
    X(virDomainResume) \
    X(virDomainStatsRecordListFree) \
    X(virDomainUndefine) \
    X(virDomainUndefineFlags) \
    X(virDomainUpdateDeviceFlags) \
    X(virEventAddTimeout) \
    X(virEventRegisterImpl) \
    X(virEventRemoveTimeout) \
    X(virFreeError) \
    X(virGetLastError) \
    X(virInitialize) \
    X(virSaveLastError) \
    X(virSetErrorFunc) \
    X(virTypedParamsGetInt)

#define XLCFG__VIR_QEMU_CALLS(X) \
    X(virDomainQemuMonitorCommand)

struct xlcfg__vir {
#define XLCFG__VIR_MEMBER(name) __typeof__(name) *name;
    XLCFG__VIR_CALLS(XLCFG__VIR_MEMBER)
    XLCFG__VIR_QEMU_CALLS(XLCFG__VIR_MEMBER)
#undef XLCFG__VIR_MEMBER
};
extern struct xlcfg__vir xlcfg__vir;

/* Before any of them is called.  NI: there is no libvirt here, and why. */
int xlcfg__virt_load(const char *uri, xlcfg_error *err);

#ifndef XLCFG__VIR_BARE
#define virConnectClose xlcfg__vir.virConnectClose
#define virConnectDomainEventDeregisterAny xlcfg__vir.virConnectDomainEventDeregisterAny
#define virConnectDomainEventRegisterAny xlcfg__vir.virConnectDomainEventRegisterAny
#define virConnectGetAllDomainStats xlcfg__vir.virConnectGetAllDomainStats
#define virConnectGetCapabilities xlcfg__vir.virConnectGetCapabilities
#define virConnectGetLibVersion xlcfg__vir.virConnectGetLibVersion
#define virConnectGetType xlcfg__vir.virConnectGetType
#define virConnectIsAlive xlcfg__vir.virConnectIsAlive
#define virConnectListAllDomains xlcfg__vir.virConnectListAllDomains
#define virConnectOpenAuth xlcfg__vir.virConnectOpenAuth
#define virConnectRef xlcfg__vir.virConnectRef
#define virConnectRegisterCloseCallback xlcfg__vir.virConnectRegisterCloseCallback
#define virConnectSetKeepAlive xlcfg__vir.virConnectSetKeepAlive
#define virConnectUnregisterCloseCallback xlcfg__vir.virConnectUnregisterCloseCallback
#define virDomainAttachDeviceFlags xlcfg__vir.virDomainAttachDeviceFlags
#define virDomainBackupGetXMLDesc xlcfg__vir.virDomainBackupGetXMLDesc
#define virDomainCreate xlcfg__vir.virDomainCreate
#define virDomainCreateXML xlcfg__vir.virDomainCreateXML
#define virDomainDefineXMLFlags xlcfg__vir.virDomainDefineXMLFlags
#define virDomainDetachDeviceAlias xlcfg__vir.virDomainDetachDeviceAlias
#define virDomainDetachDeviceFlags xlcfg__vir.virDomainDetachDeviceFlags
#define virDomainFree xlcfg__vir.virDomainFree
#define virDomainGetBlockInfo xlcfg__vir.virDomainGetBlockInfo
#define virDomainGetConnect xlcfg__vir.virDomainGetConnect
#define virDomainGetControlInfo xlcfg__vir.virDomainGetControlInfo
#define virDomainGetID xlcfg__vir.virDomainGetID
#define virDomainGetJobInfo xlcfg__vir.virDomainGetJobInfo
#define virDomainGetName xlcfg__vir.virDomainGetName
#define virDomainGetState xlcfg__vir.virDomainGetState
#define virDomainGetUUIDString xlcfg__vir.virDomainGetUUIDString
#define virDomainGetXMLDesc xlcfg__vir.virDomainGetXMLDesc
#define virDomainHasManagedSaveImage xlcfg__vir.virDomainHasManagedSaveImage
#define virDomainIsActive xlcfg__vir.virDomainIsActive
#define virDomainIsPersistent xlcfg__vir.virDomainIsPersistent
#define virDomainListGetStats xlcfg__vir.virDomainListGetStats
#define virDomainLookupByID xlcfg__vir.virDomainLookupByID
#define virDomainLookupByName xlcfg__vir.virDomainLookupByName
#define virDomainLookupByUUIDString xlcfg__vir.virDomainLookupByUUIDString
#define virDomainRef xlcfg__vir.virDomainRef
#define virDomainResume xlcfg__vir.virDomainResume
#define virDomainStatsRecordListFree xlcfg__vir.virDomainStatsRecordListFree
#define virDomainUndefine xlcfg__vir.virDomainUndefine
#define virDomainUndefineFlags xlcfg__vir.virDomainUndefineFlags
#define virDomainUpdateDeviceFlags xlcfg__vir.virDomainUpdateDeviceFlags
#define virEventAddTimeout xlcfg__vir.virEventAddTimeout
#define virEventRegisterImpl xlcfg__vir.virEventRegisterImpl
#define virEventRemoveTimeout xlcfg__vir.virEventRemoveTimeout
#define virFreeError xlcfg__vir.virFreeError
#define virGetLastError xlcfg__vir.virGetLastError
#define virInitialize xlcfg__vir.virInitialize
#define virSaveLastError xlcfg__vir.virSaveLastError
#define virSetErrorFunc xlcfg__vir.virSetErrorFunc
#define virTypedParamsGetInt xlcfg__vir.virTypedParamsGetInt
#define virDomainQemuMonitorCommand xlcfg__vir.virDomainQemuMonitorCommand
#endif

#endif
