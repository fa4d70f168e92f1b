/* Leads the calls that a library makes of another one to other functions.
 *
 * A library calls a function of another one by way of a slot in its table of addresses (ELF's global offset table),
 * which the loader has filled in. Here the slots of some names get another address. Only that library is concerned: who
 * else calls these functions gets them themselves. Where slots were made read-only after loading, they are again
 * afterwards. */

#define _GNU_SOURCE /* for dl_iterate_phdr */

#include "native.h"

#include "calls.h"

#if defined(__linux__) && defined(__GLIBC__) && (defined(__x86_64__) || defined(__aarch64__))

#include <elf.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef __x86_64__
enum { JUMP_SLOT = R_X86_64_JUMP_SLOT, GLOBAL_DATA = R_X86_64_GLOB_DAT };
#else
enum { JUMP_SLOT = R_AARCH64_JUMP_SLOT, GLOBAL_DATA = R_AARCH64_GLOB_DAT };
#endif

enum { SLOTS = 32 };

/* What is searched for, and the slots that were found. */
struct search {
    uintptr_t within;
    const struct led_call *calls;
    int count, found;
    struct slot {
        void **address;
        void *value;
        int protection;
    } slots[SLOTS];
    int complete;
};

static const void *table(const struct dl_phdr_info *object, uintptr_t address)
{
    /* glibc has made addresses of most, but not of all. */
    return (const void *)(address < object->dlpi_addr ? address + object->dlpi_addr : address);
}

static int protection_of(const struct dl_phdr_info *object, uintptr_t slot)
{
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[i];
        uintptr_t start = object->dlpi_addr + part->p_vaddr;
        if (part->p_type == PT_GNU_RELRO && slot >= start && slot < start + part->p_memsz)
            return PROT_READ;
    }
    return PROT_READ | PROT_WRITE;
}

static int add_slots(struct search *search, const struct dl_phdr_info *object, const ElfW(Rela) *relocations,
                     size_t bytes, const ElfW(Sym) *symbols, const char *strings)
{
    for (size_t i = 0; i < bytes / sizeof *relocations; i++) {
        const ElfW(Rela) *relocation = &relocations[i];
        unsigned long type = ELF64_R_TYPE(relocation->r_info);
        if ((type != JUMP_SLOT && type != GLOBAL_DATA) || relocation->r_addend != 0)
            continue;
        const char *name = strings + symbols[ELF64_R_SYM(relocation->r_info)].st_name;
        for (int call = 0; call < search->count; call++) {
            if (strcmp(name, search->calls[call].name) != 0)
                continue;
            if (search->found == SLOTS)
                return 0;
            uintptr_t slot = object->dlpi_addr + relocation->r_offset;
            search->slots[search->found++] =
                (struct slot){(void **)slot, search->calls[call].to, protection_of(object, slot)};
        }
    }
    return 1;
}

static void search_in(struct search *search, const struct dl_phdr_info *object, const ElfW(Dyn) *entry)
{
    const ElfW(Sym) *symbols = NULL;
    const char *strings = NULL;
    const ElfW(Rela) *jumps = NULL, *others = NULL;
    size_t jumps_size = 0, others_size = 0;
    for (; entry->d_tag != DT_NULL; entry++) {
        const void *at = table(object, entry->d_un.d_ptr);
        switch (entry->d_tag) {
        case DT_SYMTAB: symbols = at; break;
        case DT_STRTAB: strings = at; break;
        case DT_JMPREL: jumps = at; break;
        case DT_RELA: others = at; break;
        case DT_PLTRELSZ: jumps_size = entry->d_un.d_val; break;
        case DT_RELASZ: others_size = entry->d_un.d_val; break;
        default: break;
        }
    }
    if (symbols == NULL || strings == NULL)
        return;
    if ((jumps != NULL && !add_slots(search, object, jumps, jumps_size, symbols, strings)) ||
        (others != NULL && !add_slots(search, object, others, others_size, symbols, strings)))
        return;
    search->complete = 1;
    for (int call = 0; call < search->count; call++) {
        int has_slot = 0;
        for (int i = 0; i < search->found; i++)
            has_slot |= search->slots[i].value == search->calls[call].to;
        search->complete &= has_slot;
    }
}

static int look_at(struct dl_phdr_info *object, size_t size, void *data)
{
    struct search *search = data;
    const ElfW(Dyn) *dynamic = NULL;
    int is_it = 0;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[i];
        uintptr_t start = object->dlpi_addr + part->p_vaddr;
        if (part->p_type == PT_LOAD && search->within >= start && search->within < start + part->p_memsz)
            is_it = 1;
        if (part->p_type == PT_DYNAMIC)
            dynamic = (const ElfW(Dyn) *)start;
    }
    if (is_it && dynamic != NULL)
        search_in(search, object, dynamic);
    return is_it;
}

static int protect(const struct slot *slot, int protection)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), address = (uintptr_t)slot->address;
    return mprotect((void *)(address - address % page), page, protection) == 0;
}

int calls_lead(const void *within, const struct led_call *calls, int count)
{
    struct search search = {.within = (uintptr_t)within, .calls = calls, .count = count};
    dl_iterate_phdr(look_at, &search);
    if (!search.complete)
        return 0;
    int opened = 0;
    while (opened < search.found && protect(&search.slots[opened], PROT_READ | PROT_WRITE))
        opened++;
    const int is_open = opened == search.found;
    for (int i = 0; is_open && i < search.found; i++)
        __atomic_store_n(search.slots[i].address, search.slots[i].value, __ATOMIC_RELEASE);
    for (int i = 0; i < opened; i++)
        protect(&search.slots[i], search.slots[i].protection);
    return is_open;
}

#else

int calls_lead(const void *within, const struct led_call *calls, int count)
{
    return 0;
}

#endif
