# Starts a stick on a PC with a BIOS: loads iPXE as the Linux kernel that `ipxe.lkrn` is, with the boot script as its
# initrd (The Linux/x86 Boot Protocol, Documentation/arch/x86/boot.rst of Linux).
#
# The BIOS loads the first 440 bytes with the MBR around them. They load the rest, which stands at the start of the
# BIOS boot partition. `boot_code.rs` has the assembled bytes; `tools/boot-code` makes that file.

        .set MAGIC, 0x31485045          # "EPH1"
        .set SECOND_SECTORS, 2          # what the second part has room for
        .set TRIES, 5                   # sticks that have just been powered up may fail at first
        .set CHUNK, 64                  # sectors: all BIOSes read so many at once, and none of more than 127
        .set SETUP, 0x1000              # the segment for the kernel's real-mode part
        .set BUFFER, 0x2000             # one for a chunk: it crosses no border of 64 KiB
        .set KERNEL, 0x100000           # where Linux's protocol has the rest of the kernel
        .set LOWEST, 0x1000000          # free memory that takes part must have so many bytes
        .set HIGHEST, 0x80000000        # no initrd ends above this: Linux's own limit for most of its life
        .set USABLE, 1                  # of a range of memory
        .set SMAP, 0x534d4150           # "SMAP", which int 15h AX=E820h asks for and answers with

        .code16
        .text
        .globl _start
_start:
        jmp     first
        .org    0x5a                    # some BIOSes write the parameters of a floppy disk in here
first:
        cli
        xorw    %ax, %ax
        movw    %ax, %ss
        movw    $_start, %sp
        movw    %ax, %ds
        movw    %ax, %es
        sti
        cld
        ljmp    $0, $1f                 # some BIOSes start it at 07c0:0000
1:      movb    %dl, drive
        call    read
        movw    $no_second, %si
        cmpl    $MAGIC, magic
        jne     fail
        jmp     second

# Reads what `packet` says.
read:
        pushal
        movw    $TRIES, %bp
        movw    count, %di              # a BIOS may change it where reading fails
1:      movw    %di, count
        movw    $packet, %si
        movb    $0x42, %ah
        movb    drive, %dl
        pushw   %bp
        pushw   %di
        int     $0x13
        popw    %di
        popw    %bp
        jnc     2f
        movb    %ah, %cl
        decw    %bp
        jz      3f
        xorb    %ah, %ah                # reset the drive
        movb    drive, %dl
        pushw   %bp
        pushw   %di
        int     $0x13
        popw    %di
        popw    %bp
        jmp     1b
2:      popal
        ret
3:      movb    %cl, %al                # the BIOS's number for what failed, in hex digits
        shrb    $4, %al
        call    digit
        movb    %al, error
        movb    %cl, %al
        call    digit
        movb    %al, error + 1
        movw    $cant_read, %si
        # falls through

# Says why it can't go on, and stops.
fail:
        pushw   %si
        movw    $prefix, %si
        call    say
        popw    %si
        call    say
1:      hlt
        jmp     1b

say:
        lodsb
        testb   %al, %al
        jz      1f
        movb    $0x0e, %ah
        movw    $7, %bx
        pushw   %si
        int     $0x10
        popw    %si
        jmp     say
1:      ret

# Makes a digit of the lower half of %al.
digit:
        andb    $15, %al
        addb    $'0', %al
        cmpb    $'9', %al
        jbe     1f
        addb    $'a' - '9' - 1, %al
1:      ret

prefix: .asciz  "\r\nEphemeros: "
cant_read:
        .ascii  "this BIOS can't read the stick, error "
error:  .asciz  "00"
no_second:
        .asciz  "the BIOS boot partition is damaged"
drive:  .byte   0

        .org    424
packet: .byte   16, 0                   # its size
count:  .word   SECOND_SECTORS
        .word   second
segment: .word  0
        .globl  second_lba
second_lba: .quad 0                     # filled in
        # 440: the disk's signature and the partition table follow.

        .org    0x200                   # 0x7e00
second:
        jmp     load
        .org    0x204
magic:  .long   MAGIC
kernel_lba: .long 0                     # these are filled in
setup_sectors: .word 0                  # the kernel's real-mode part,
payload_sectors: .word 0                # the rest of it, and the script follow each other on the stick
script_sectors: .word 0
        .word   0
script_bytes: .long 0

load:
        movw    $prefix, %si
        call    say
        movw    $loading, %si
        call    say

        # The highest end of a range of free memory that is large enough: as much as can be stays in one piece for
        # what iPXE downloads.
        xorl    %ebx, %ebx
1:      movl    $0xe820, %eax
        movl    $20, %ecx
        movl    $SMAP, %edx
        movw    $range, %di
        int     $0x15
        jc      4f
        cmpl    $SMAP, %eax
        jne     4f
        cmpl    $USABLE, range + 16
        jne     3f
        cmpl    $0, range + 4           # above 4 GiB
        jne     3f
        movl    range, %eax
        addl    range + 8, %eax
        jc      2f
        cmpl    $0, range + 12
        jne     2f
        cmpl    $HIGHEST, %eax
        jbe     5f
2:      movl    $HIGHEST, %eax
5:      movl    %eax, %ecx
        subl    $LOWEST, %ecx
        jb      3f
        cmpl    range, %ecx
        jb      3f
        cmpl    top, %eax
        jbe     3f
        movl    %eax, top
3:      testl   %ebx, %ebx
        jnz     1b
4:      movw    $no_memory, %si
        movl    top, %eax
        testl   %eax, %eax
        jz      fail
        movzwl  script_sectors, %ecx
        shll    $9, %ecx
        subl    %ecx, %eax
        andw    $0xf000, %ax
        movl    %eax, script

        movl    kernel_lba, %eax
        movl    %eax, second_lba
        movw    $0, packet + 4
        movw    $SETUP, segment
        movw    setup_sectors, %ax
        movw    %ax, count
        call    read
        movzwl  count, %eax
        addl    %eax, second_lba
        movw    $BUFFER, segment
        movl    $KERNEL, %edi
        movw    payload_sectors, %cx
        call    copy
        movl    script, %edi
        movw    script_sectors, %cx
        call    copy

        movw    $SETUP, %ax
        movw    %ax, %es
        movb    $0xff, %es:0x210        # type_of_loader: one without a number
        orb     $0x80, %es:0x211        # loadflags: the heap may be used
        movw    $0xde00, %es:0x224      # heap_end_ptr, seen from 0x200
        movl    script, %eax
        movl    %eax, %es:0x218         # ramdisk_image
        movl    script_bytes, %eax
        movl    %eax, %es:0x21c         # ramdisk_size
        cli
        movw    $SETUP, %ax
        movw    %ax, %ds
        movw    %ax, %fs
        movw    %ax, %gs
        movw    %ax, %ss
        movw    $0xe000, %sp
        ljmp    $SETUP + 0x20, $0

# Copies the next %cx sectors to %edi, by way of the buffer.
copy:
        testw   %cx, %cx
        jz      3f
        movw    $CHUNK, %ax
        cmpw    %ax, %cx
        jae     1f
        movw    %cx, %ax
1:      subw    %ax, %cx
        movw    %ax, count
        call    read
        pushal
        movl    %edi, %eax
        movw    %ax, target + 2
        shrl    $16, %eax
        movb    %al, target + 4
        movb    %ah, target + 7
        movw    count, %cx
        shlw    $8, %cx                 # in words
        movw    $descriptors, %si
        movb    $0x87, %ah
        int     $0x15
        sti
        jc      2f
        popal
        movzwl  count, %eax
        addl    %eax, second_lba
        shll    $9, %eax
        addl    %eax, %edi
        jmp     copy
2:      movw    $cant_copy, %si
        jmp     fail
3:      ret

loading: .asciz "loading iPXE\r\n"
no_memory:
        .asciz  "there are no 16 MiB of free memory"
cant_copy:
        .asciz  "this BIOS can't copy to high memory"

        .balign 8
descriptors:                            # for int 15h AH=87h, which fills in those that are zeros
        .quad   0, 0
        .word   0xffff, 0               # from BUFFER
        .byte   BUFFER >> 12, 0x93, 0, 0
target: .word   0xffff, 0
        .byte   0, 0x93, 0, 0
        .quad   0, 0
top:    .long   0
script: .long   0
range:  .fill   20, 1, 0
        .org    0x200 + SECOND_SECTORS * 512
