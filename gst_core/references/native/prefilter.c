/* The prefilter: targets that share a query's rarest seeds; see prefilter.py. */
#include <string.h>

#include "lookup.h"

enum { BLOCK = 64 };

/* Distinct seeds of a prepared query that some target has; returns how many. */
static int64_t seeds_with_postings(const Index *index, Space *space)
{
    int64_t number = 0;
    for (int64_t i = 0; i < space->exact.different; i++) {
        int32_t seed = space->exact.seeds[i], start = index->seed_starts[seed];
        int32_t size = index->seed_starts[seed + 1] - start;
        space->seeds[number] = (Seed){start, size, index->weights[seed]};
        number += size > 0;
    }
    return number;
}

/* The largest number of targets that a seed may be in so that all such seeds together have no more
 * than `budget` postings; sizes (common + 1,) is overwritten. */
static int32_t rarest(const Seed *seeds, int64_t number, int32_t common, int64_t budget,
                      int64_t *sizes)
{
    memset(sizes, 0, ((size_t)common + 1) * sizeof *sizes);
    for (int64_t i = 0; i < number; i++)
        sizes[seeds[i].size] += seeds[i].size;
    int64_t total = 0;
    for (int32_t size = 1; size <= common; size++) {
        total += sizes[size];
        if (total > budget)
            return size - 1;
    }
    return common;
}

/* A target's score: the weight of the seeds shared, over the root of its length. */
static inline float score_of(const int32_t *tally, const float *inverse_root, int64_t target)
{
    return (float)tally[target] * inverse_root[target];
}

static inline int32_t bits_of(float number)
{
    int32_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

/* Collect the targets that score more than a share of the best. Returns how many there are. */
BODY int64_t collect(const Index *index, const int32_t *restrict tally, float share,
                     Hit *restrict hits)
{
    const float *restrict roots = index->inverse_root;
    const int64_t targets = index->size;
    /* Scores are not negative, and such numbers have the order of their bits. */
    int32_t highest_bits = 0;
    for (int64_t i = 0; i < targets; i++) {
        int32_t bits = bits_of(score_of(tally, roots, i));
        highest_bits = bits > highest_bits ? bits : highest_bits;
    }
    float highest, floor;
    memcpy(&highest, &highest_bits, sizeof highest);
    floor = share * highest;
    int64_t kept = 0;
    for (int64_t block = 0; block < targets; block += BLOCK) {
        int64_t end = block + BLOCK < targets ? block + BLOCK : targets;
        int any = 0;
        for (int64_t i = block; i < end; i++)
            any |= score_of(tally, roots, i) > floor;
        for (int64_t i = block; any && i < end; i++) {
            float score = score_of(tally, roots, i);
            hits[kept] = (Hit){score, (int32_t)i};
            kept += score > floor;
        }
    }
    return kept;
}

WIDE static int64_t collect_wide(const Index *index, const int32_t *tally, float share, Hit *hits)
{
    return collect(index, tally, share, hits);
}

static int64_t collect_narrow(const Index *index, const int32_t *tally, float share, Hit *hits)
{
    return collect(index, tally, share, hits);
}

/* Find the targets that share the rarest seeds with a prepared query; found and shared (most,),
 * sums (2,): weights of the query's seeds, and of those looked up. Returns how many were found. */
int64_t prefilter(const Index *index, const Limits *limits, Space *space, const uint8_t *hidden,
                  int64_t most, int32_t *found, int32_t *shared, int64_t *sums)
{
    const Seed *seeds = space->seeds;
    int32_t *tally = space->tally;
    Hit *hits = space->hits;
    int64_t number = seeds_with_postings(index, space), targets = index->size;
    int64_t budget = limits->budget_per_seed * number;
    budget = budget < limits->budget ? limits->budget : budget;
    int32_t limit = rarest(seeds, number, limits->common, budget, space->sizes);
    sums[0] = sums[1] = 0;
    for (int64_t i = 0; i < number; i++) {
        Seed seed = seeds[i];
        if (i + SOON < number && seeds[i + SOON].size <= limit)
            prefetch_postings(index, seeds[i + SOON].start,
                              seeds[i + SOON].start + seeds[i + SOON].size);
        sums[0] += seed.weight;
        if (seed.size > limit)
            continue;
        sums[1] += seed.weight;
        tally_postings(index, seed.start, seed.start + seed.size, seed.weight, tally);
    }
    if (hidden)
        for (int64_t i = 0; i < targets; i++)
            tally[i] = hidden[i] ? 0 : tally[i];

    int64_t kept = (HAS_WIDE ? collect_wide : collect_narrow)(index, tally, limits->least, hits);
    kept = best_hits(hits, kept, most);
    for (int64_t i = 0; i < kept; i++) {
        found[i] = hits[i].target;
        shared[i] = tally[hits[i].target];
    }
    memset(tally, 0, (size_t)targets * sizeof *tally);
    return kept;
}
