/* The space that a thread works in, and which sources all this was made from. */
#include <stdlib.h>
#include <string.h>

#include "references.h"

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

static void places_free(Places *places)
{
    free(places->marked);
    free(places->chains);
    free(places->rows);
}

void space_free(Space *space)
{
    if (!space)
        return;
    void *arrays[] = {space->tally,   space->sizes, space->hits,    space->words,
                      space->profile, space->cells, space->traces,  space->sums,
                      space->touched, space->pairs, space->common,  space->words_of_reference};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        free(arrays[i]);
    places_free(&space->same);
    places_free(&space->alike);
    free(space);
}

static int room_for_places(Places *places)
{
    return RENEW(places->marked, WORDS / 32 + 1) || RENEW(places->chains, WORDS) ? -1 : 0;
}

/* Null without memory. */
Space *space_new(const Index *index, const Limits *limits)
{
    Space *space = calloc(1, sizeof *space);
    if (!space)
        return NULL;
    if (RENEW(space->tally, index->size) || RENEW(space->sizes, limits->common + 1) ||
        RENEW(space->hits, index->size + 1) ||
        room_for_places(&space->same) || room_for_places(&space->alike)) {
        space_free(space);
        return NULL;
    }
    return space;
}

int room_for_protein(Space *space, int64_t length)
{
    if (length <= space->length)
        return 0;
    space->length = 0;
    length += length / 2;
    if (RENEW(space->words, length) || RENEW(space->profile, RESIDUES * stride_of(length)) ||
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
        RENEW(space->pairs, number) || RENEW(space->words_of_reference, number) ||
        RENEW(space->common, number))
        return -1;
    space->diagonals = number;
    return 0;
}

/* Rows are kept. */
int room_for_row(Places *places)
{
    int64_t room = 2 * places->room + 1024;
    Row *rows = realloc(places->rows, (size_t)room * sizeof *rows);
    if (!rows)
        return -1;
    places->rows = rows;
    places->room = room;
    return 0;
}
