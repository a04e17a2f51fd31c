/* Seed matches of a query and a target, added up by diagonal; see diagonals.py. */
#include "lookup.h"

/* The numbers of all seeds of a target that has residues without a letter, or B. */
static void seeds_with_unknown(const Index *index, Sequence target, uint32_t *seeds)
{
    for (int64_t position = 0; position + SPAN <= target.length; position++) {
        int32_t seed = seed_at(target.codes + position, index->letters);
        seeds[position] = seed < 0 ? SEEDS : (uint32_t)seed;
    }
}

/* Find the positions of a target whose seeds have entries; without a branch that depends on it,
 * since they are there by chance. Returns how many there are. */
BODY int64_t common_positions(const Index *index, const SeedTable *table, Space *space,
                              Sequence target)
{
    const uint8_t *codes = target.codes;
    int64_t ends = target.length - SPAN + 1, number = 0;
    uint16_t *pairs = space->pairs;
    uint32_t *seeds = space->target_seeds;
    int32_t *common = space->common;
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
            pairs[position] = (uint16_t)(codes[position] * LETTERS + codes[position + 1]);
        for (int64_t position = 0; position < ends; position++)
            seeds[position] = (uint32_t)pairs[position] * (LETTERS * LETTERS) + pairs[position + 3];
    }
    const uint64_t *marked = table->marked;
    for (int64_t position = 0; position < ends; position++) {
        common[number] = (int32_t)position;
        number += marked[seeds[position] / 64] >> seeds[position] % 64 & 1;
    }
    return number;
}

BODY int64_t add_matches(const Index *index, const SeedTable *table, Space *space, int64_t length,
                         Sequence target, int bits)
{
    int64_t common = common_positions(index, table, space, target), touched = 0;
    int32_t *sums = space->sums + 1;
    for (int64_t i = 0; i < common; i++) {
        int64_t position = space->common[i] + length;
        int32_t rank = rank_of(table, space->target_seeds[space->common[i]]);
        for (int32_t at = table->firsts[rank]; at < table->firsts[rank + 1]; at++) {
            Match match = table->matches[at];
            int64_t diagonal = (position - match.position) >> bits;
            if (!sums[diagonal])
                space->touched[touched++] = (int32_t)diagonal;
            sums[diagonal] += match.score;
        }
    }
    return touched;
}

WIDE static int64_t add_matches_wide(const Index *index, const SeedTable *table, Space *space,
                                     int64_t length, Sequence target, int bits)
{
    return add_matches(index, table, space, length, target, bits);
}

static int64_t add_matches_narrow(const Index *index, const SeedTable *table, Space *space,
                                  int64_t length, Sequence target, int bits)
{
    return add_matches(index, table, space, length, target, bits);
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
    return (HAS_WIDE ? add_matches_wide : add_matches_narrow)(index, table, space, length, target,
                                                              bits);
}

/* Leave the space as it was before. */
void forget_diagonals(Space *space, int64_t touched)
{
    for (int64_t i = 0; i < touched; i++)
        space->sums[space->touched[i] + 1] = 0;
}

/* The best of a target's diagonals, with that before and after it; of equal ones the first. */
Diagonal best_diagonal(const Index *index, const SeedTable *table, Space *space, int64_t length,
                       int64_t number)
{
    int64_t touched = add_diagonals(index, table, space, length, number, 0);
    Diagonal best = {touched < 0 ? -1 : 0, 0};
    for (int64_t i = 0; i < touched; i++) {
        int32_t diagonal = space->touched[i];
        const int32_t *sum = space->sums + 1 + diagonal;
        int32_t three = sum[-1] + sum[0] + sum[1];
        if (three > best.sum || (three == best.sum && diagonal < best.number))
            best = (Diagonal){three, diagonal};
    }
    best.number -= (int32_t)length;
    forget_diagonals(space, touched);
    return best;
}
