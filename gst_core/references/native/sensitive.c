/* The sensitive search: targets with neighbouring words on one diagonal; see sensitive.py. */
#include <string.h>

#include "lookup.h"

enum { TARGETS_AHEAD = 2, BIN_BITS = 12 };

/* Tally targets by the neighbours of a query's seeds. Returns the sum. */
static int64_t tally_neighbours(const Index *index, const SeedTable *neighbours, int32_t least,
                                int32_t *tally)
{
    int64_t sum = 0;
    for (int64_t i = 0; i < neighbours->number; i++) {
        Entry entry = neighbours->entries[i];
        if (i + SOON < neighbours->number) {
            int32_t soon = neighbours->entries[i + SOON].seed;
            prefetch_postings(index, index->seed_starts[soon], index->seed_starts[soon + 1]);
        }
        if (entry.score < least)
            continue;
        int32_t weight = index->weights[entry.seed] * (entry.score - least + 2) / 16;
        int32_t first = index->seed_starts[entry.seed], last = index->seed_starts[entry.seed + 1];
        tally_postings(index, first, last, weight, tally);
        sum += (int64_t)weight * (last - first);
    }
    return sum;
}

/* The targets that were tallied more than is to be expected of their length, the highest, in
 * any order; sum: of the tally, which is overwritten. Returns how many there are. */
static int64_t highest_tallies(const Index *index, const Limits *limits, int64_t sum,
                               const uint8_t *hidden, int32_t *tally, Hit *hits)
{
    const float expected = (float)((double)sum / (double)index->starts[index->size]);
    int32_t bins[1 << BIN_BITS] = {0};
    /* Positive numbers have the order of their bits, the first of which are sorted by. */
    for (int64_t i = 0; i < index->size; i++) {
        int32_t length = (int32_t)(index->starts[i + 1] - index->starts[i]);
        float excess = (float)tally[i] - expected * (float)length;
        float score = excess > 0 ? excess * index->inverse_root[i] : 0;
        memcpy(tally + i, &score, sizeof score);
    }
    for (int64_t i = 0; hidden && i < index->size; i++)
        tally[i] = hidden[i] ? 0 : tally[i];
    for (int64_t i = 0; i < index->size; i++)
        bins[tally[i] >> (31 - BIN_BITS)]++;
    int32_t lowest = (1 << BIN_BITS) - 1;
    for (int64_t there = bins[lowest]; lowest > 1 && there < limits->tallied; there += bins[lowest])
        lowest--;
    int64_t number = 0;
    for (int64_t i = 0; i < index->size; i++) {
        float score;
        memcpy(&score, tally + i, sizeof score);
        hits[number] = (Hit){score, (int32_t)i};
        number += tally[i] >> (31 - BIN_BITS) >= lowest;
    }
    return select_hits(hits, number, limits->tallied);
}

/* The best of a target's diagonals, with that before and after it. */
static int32_t best_diagonal(const Index *index, Space *space, int64_t length, int64_t number)
{
    int64_t touched = add_diagonals(index, &space->neighbours, space, length, number, 0);
    int32_t best = 0;
    for (int64_t i = 0; i < touched; i++) {
        const int32_t *sum = space->sums + 1 + space->touched[i];
        int32_t score = sum[-1] + sum[0] + sum[1];
        best = score > best ? score : best;
    }
    forget_diagonals(space, touched);
    return touched < 0 ? -1 : best;
}

/* Ask for a target some time before it is read: they are all over the memory. */
static void prefetch_target(Sequence target)
{
    for (int64_t position = 0; position < target.length; position += 64)
        __builtin_prefetch(target.codes + position);
}

/* Extend the hits from first to last without gaps; returns the best score, or -1. */
static int32_t extend_hits(const Index *index, Space *space, Sequence query, Hit *hits,
                           int64_t first, int64_t last)
{
    int32_t best = 0;
    for (int64_t i = first; i < last; i++) {
        int32_t score = extend_ungapped(index, space, query, &space->neighbours, hits[i].target);
        if (score < 0)
            return -1;
        hits[i].score = (float)score;
        best = score > best ? score : best;
    }
    return best;
}

/* Find targets that have many neighbours of a query's seeds on one diagonal. The query has to be
 * prepared, and its neighbours have to be there. found (sensitive,), the best first. */
int64_t search_sensitively(const Index *index, const Limits *limits, Space *space, Sequence query,
                           const uint8_t *hidden, int32_t *found)
{
    Hit *hits = space->hits;
    int64_t sum = tally_neighbours(index, &space->neighbours, limits->tally_score, space->tally),
            kept = 0;
    int64_t number = highest_tallies(index, limits, sum, hidden, space->tally, hits);
    memset(space->tally, 0, (size_t)index->size * sizeof *space->tally);
    const double cutoff =
        cutoff_score(index, limits, query, limits->ungapped_lambda, limits->ungapped_kappa);
    for (int64_t first = 0; first < number; first += limits->block) {
        Hit *block = hits + first;
        int64_t size = select_hits(block, number - first, limits->block);
        for (int64_t i = 0; i < size; i++) {
            if (i + TARGETS_AHEAD < size)
                prefetch_target(target_at(index, block[i + TARGETS_AHEAD].target));
            int32_t score = best_diagonal(index, space, query.length, block[i].target);
            if (score < 0)
                return -1;
            block[i].score = (float)score;
        }
        size = select_hits(block, size, limits->ranked);
        int64_t probed = select_hits(block, size, limits->probed);
        int32_t best = extend_hits(index, space, query, block, 0, probed);
        int done = best < cutoff;
        size = done ? probed : size;
        if (best < 0 || extend_hits(index, space, query, block, probed, size) < 0)
            return -1;
        memmove(hits + kept, block, (size_t)size * sizeof *hits);
        kept += size;
        if (done)
            break;
    }
    kept = best_hits(hits, kept, limits->sensitive);
    for (number = 0; number < kept && hits[number].score >= cutoff; number++)
        found[number] = hits[number].target;
    return number;
}
