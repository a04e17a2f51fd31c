/* Seed matches of a query and a target, added up by diagonal; see diagonals.py. */
#include "lookup.h"

/* The numbers of all seeds of a target that has residues without a letter, or B. */
static void seeds_with_unknown(const Index *index, Sequence target, int32_t *seeds)
{
    for (int64_t position = 0; position + SPAN <= target.length; position++) {
        int32_t seed = seed_at(target.codes + position, index->letters);
        seeds[position] = seed < 0 ? SEEDS : seed;
    }
}

/* Find the positions of a target whose seeds have entries; without a branch that depends on it,
 * since they are there by chance. Returns how many there are. */
static int64_t common_positions(const Index *index, const SeedTable *table, Space *space,
                                Sequence target)
{
    const uint8_t *codes = target.codes;
    int64_t ends = target.length - SPAN + 1, number = 0;
    int16_t *pairs = space->pairs;
    int32_t *seeds = space->target_seeds, *common = space->common;
    uint8_t highest = 0;
    if (ends <= 0)
        return 0;
    /* Loops as plain as can be, which compilers turn into vectors. */
    for (int64_t position = 0; position < target.length; position++)
        highest = codes[position] > highest ? codes[position] : highest;
    if (highest >= LETTERS) {
        seeds_with_unknown(index, target, seeds);
    } else { /* codes are the letters' numbers */
        for (int64_t position = 0; position < ends + 3; position++)
            pairs[position] = (int16_t)(codes[position] * LETTERS + codes[position + 1]);
        for (int64_t position = 0; position < ends; position++)
            seeds[position] = pairs[position] * (LETTERS * LETTERS) + pairs[position + 3];
    }
    const uint32_t *marked = table->marked;
    for (int64_t position = 0; position < ends; position++) {
        common[number] = (int32_t)position;
        number += marked[seeds[position] / 32] >> seeds[position] % 32 & 1;
    }
    return number;
}

/* Add up the scores of the seed matches of a query of some length and a target, for each bin of
 * 2 ** bits diagonals: positions in the target less positions in the query, from -length on.
 * space->touched: the bins; space->sums + 1: the sums. Returns how many bins there are. */
int64_t add_diagonals(const Index *index, const SeedTable *table, Space *space, int64_t length,
                      int64_t number, int bits)
{
    Sequence target = target_at(index, number);
    if (room_for_diagonals(space, length + target.length + 2))
        return -1;
    int64_t common = common_positions(index, table, space, target), touched = 0;
    int32_t *sums = space->sums + 1;
    const int32_t *seeds = space->target_seeds;
    for (int64_t i = 0; i < common; i++) {
        int64_t position = space->common[i] + length;
        for (uint32_t at = table->chains[seeds[space->common[i]]].first; at;) {
            Entry entry = table->entries[at - 1];
            int64_t diagonal = (position - entry.position) >> bits;
            if (!sums[diagonal])
                space->touched[touched++] = (int32_t)diagonal;
            sums[diagonal] += entry.score;
            at = entry.next;
        }
    }
    return touched;
}

/* Leave the space as it was before. */
void forget_diagonals(Space *space, int64_t touched)
{
    for (int64_t i = 0; i < touched; i++)
        space->sums[space->touched[i] + 1] = 0;
}
