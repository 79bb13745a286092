# SPDX-License-Identifier: LGPL-2.1-or-later
#
# For tests whose xlcfg, and the libxl in its child, are killed (-9) before a
# call that changes something, as tests/crash/killer.c counts them:
#
#   . /mnt/src/tests/xen-vm/killing.sh
#   order 12
#   watched attach pv1 disk file    # never makes its 12th call
# shellcheck shell=bash
. /mnt/src/tests/xen-vm/lib.sh
need_xlcfg
killer=/mnt/xlcfg/tests/crash/killer.so
[ -e "$killer" ] || skip_all "no tests/crash/killer.so in the build folder"
cp "$killer" /run/xlcfg/

# order N: at the N-th call xlcfg and its child end; 0: only count.
order()
{
    python3 - "$work/board" "$1" << 'END'
import sys
sys.path.insert(0, "/mnt/src/tests/crash")
sys.dont_write_bytecode = True
import board
board.Board(sys.argv[1]).order(at=int(sys.argv[2]),
                               who=board.CALLER | board.CHILD)
END
}

# noted WORD: of the board; "label" is what it was about to do.
noted()
{
    python3 - "$work/board" "$1" << 'END'
import mmap
import struct
import sys
sys.path.insert(0, "/mnt/src/tests/crash")
sys.dont_write_bytecode = True
import board
with open(sys.argv[1], "rb") as file:
    data = mmap.mmap(file.fileno(), board.SIZE, prot=mmap.PROT_READ)
if sys.argv[2] == "label":
    at = board.ONLY + board.LABEL
    print(data[at:at + board.LABEL].split(b"\0")[0].decode())
else:
    at = 4 * board.WORDS.index(sys.argv[2])
    print(struct.unpack_from("<I", data, at)[0])
END
}

# watched WORD...: xlcfg with the board's orders.
watched()
{
    # xlcfg_xen is a function: what is watched is the command
    LD_PRELOAD=/run/xlcfg/killer.so XLCFG_CRASH_BOARD=$work/board \
        XLCFG_CRASH_ROOTS=$XLCFG_STATE_DIR:/var/lib/xen \
        XENSTORED_PATH=/run/xenstored/socket \
        xlcfg -c xen:/// --deadline 60 "$@"
}

# A killed plug's script runs on, as it does in the field.
scripts_ended()
{
    ! pgrep -f /etc/xen/scripts/ > /dev/null
}
