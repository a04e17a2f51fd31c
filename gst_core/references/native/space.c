/* The space that a thread works in, and which sources all this was made from. */
#include <stdlib.h>
#include <string.h>

#include "lookup.h"

/* Checked on loading. */
const char *source_digest(void) { return SOURCE_DIGEST; }

enum { ALIGNED = 64 }; /* bytes: whole vectors and cache lines */

/* Replace an array by a larger one, zeroed; 0, or -1 without memory. */
static int renew(void **array, size_t bytes)
{
    bytes = (bytes + ALIGNED) / ALIGNED * ALIGNED;
    free(*array);
    *array = aligned_alloc(ALIGNED, bytes);
    if (!*array)
        return -1;
    memset(*array, 0, bytes);
    return 0;
}

#define RENEW(array, number) renew((void **)&(array), (size_t)(number) * sizeof *(array))

static void table_free(SeedTable *table)
{
    void *arrays[] = {table->entries, table->counts, table->marked, table->before,
                      table->seeds,   table->firsts, table->matches};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        free(arrays[i]);
}

void space_free(Space *space)
{
    if (!space)
        return;
    void *arrays[] = {space->lengths,     space->tally,   space->sizes, space->hits,
                      space->seeds,       space->profile, space->cells, space->traces,
                      space->sums,        space->touched, space->pairs, space->common,
                      space->target_seeds, space->best_diagonals};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        free(arrays[i]);
    table_free(&space->exact);
    table_free(&space->neighbours);
    free(space);
}

static int room_for_table(SeedTable *table)
{
    return RENEW(table->counts, SEEDS) || RENEW(table->marked, SEEDS / 64 + 1) ||
                   RENEW(table->before, SEEDS / 64 + 1)
               ? -1
               : 0;
}

/* Null without memory. */
Space *space_new(const Index *index, const Limits *limits)
{
    Space *space = calloc(1, sizeof *space);
    if (!space)
        return NULL;
    if (RENEW(space->tally, index->size) || RENEW(space->sizes, limits->common + 1) ||
        RENEW(space->hits, index->size + 1) || RENEW(space->lengths, index->size) ||
        RENEW(space->best_diagonals, index->size) ||
        room_for_table(&space->exact) || room_for_table(&space->neighbours)) {
        space_free(space);
        return NULL;
    }
    for (int64_t i = 0; i < index->size; i++)
        space->lengths[i] = (float)(index->starts[i + 1] - index->starts[i]);
    return space;
}

int room_for_query(Space *space, int64_t length)
{
    if (length <= space->length)
        return 0;
    space->length = 0;
    length += length / 2;
    if (RENEW(space->seeds, length) || RENEW(space->profile, RESIDUES * stride_of(length)) ||
        RENEW(space->cells, 2 * stride_of(length)) || RENEW(space->traces, 2 * length))
        return -1;
    space->length = length;
    return 0;
}

int room_for_diagonals(Space *space, int64_t number)
{
    if (number <= space->diagonals)
        return 0;
    space->diagonals = 0;
    number += number / 2;
    if (RENEW(space->sums, number) || RENEW(space->touched, number) ||
        RENEW(space->pairs, number) || RENEW(space->target_seeds, number) ||
        RENEW(space->common, number))
        return -1;
    space->diagonals = number;
    return 0;
}

/* Entries are kept. */
int room_for_entry(SeedTable *table)
{
    int64_t room = 2 * table->room + 1024;
    Entry *entries = realloc(table->entries, (size_t)room * sizeof *entries);
    if (!entries)
        return -1;
    table->entries = entries;
    if (RENEW(table->seeds, room) || RENEW(table->firsts, room + 1) || RENEW(table->matches, room))
        return -1;
    table->room = room;
    return 0;
}
