/* The sensitive search: targets with neighbouring words on one diagonal; see sensitive.py. */
#include <string.h>

#include "lookup.h"

enum { TARGETS_AHEAD = 2, STARTS_AHEAD = 8, BIN_BITS = 12, SAMPLED = 8, TOGETHER = 64, SEEDS_TOGETHER = 32 };

/* What the matches of a seed weigh together: the rarer and the more alike, the more. */
static int32_t weigh(const Index *index, const SeedTable *neighbours, int64_t rank, int32_t least)
{
    int32_t each = index->weights[neighbours->seeds[rank]], weight = 0;
    for (int32_t i = neighbours->firsts[rank]; i < neighbours->firsts[rank + 1]; i++) {
        int32_t above = neighbours->matches[i].score - least;
        weight += above >= 0 ? each * (above + 2) / 16 : 0;
    }
    return weight;
}

/* Tally targets by the neighbours of a query's seeds. Returns the sum. */
static int64_t tally_neighbours(const Index *index, const SeedTable *neighbours, int32_t least,
                                int32_t *tally)
{
    int64_t sum = 0;
    for (int64_t from = 0; from < neighbours->different; from += SEEDS_TOGETHER) {
        int64_t to = from + SEEDS_TOGETHER;
        Seed weighty[SEEDS_TOGETHER];
        int number = 0;
        for (int64_t i = from; i < to && i < neighbours->different; i++) {
            int32_t seed = neighbours->seeds[i], first = index->seed_starts[seed];
            int32_t size = index->seed_starts[seed + 1] - first;
            int32_t weight = weigh(index, neighbours, i, least);
            if (!weight)
                continue;
            prefetch_postings(index, first, first + size);
            weighty[number++] = (Seed){first, size, weight};
        }
        for (int i = 0; i < number; i++) {
            Seed seed = weighty[i];
            tally_postings(index, seed.start, seed.start + seed.size, seed.weight, tally);
            sum += (int64_t)seed.weight * seed.size;
        }
    }
    return sum;
}

/* Make scores of tallies, in their place: by how much each is more than is to be expected of the
 * target's length, over the root of that; 0 where it is not. Positive numbers have the order of
 * their bits. */
BODY void score_tallies(const Index *index, const Space *space, float expected,
                        const uint8_t *hidden)
{
    const float *restrict lengths = space->lengths, *restrict roots = index->inverse_root;
    int32_t *restrict tally = space->tally;
    const int64_t size = index->size;
    for (int64_t i = 0; i < size; i++) {
        float excess = (float)tally[i] - expected * lengths[i];
        excess = excess > 0 ? excess : 0;
        float score = excess * roots[i];
        memcpy(tally + i, &score, sizeof score);
    }
    for (int64_t i = 0; hidden && i < size; i++)
        tally[i] = hidden[i] ? 0 : tally[i];
}

/* Collect targets whose scores have at least these bits. Returns how many there are. */
BODY int64_t collect(const Index *index, const int32_t *scores, int32_t least, Hit *hits)
{
    int64_t number = 0;
    for (int64_t first = 0; first < index->size; first += TOGETHER) {
        int64_t last = first + TOGETHER < index->size ? first + TOGETHER : index->size;
        int any = 0;
        for (int64_t i = first; i < last; i++)
            any |= scores[i] >= least;
        for (int64_t i = first; any && i < last; i++) {
            hits[number].target = (int32_t)i;
            memcpy(&hits[number].score, scores + i, sizeof *scores);
            number += scores[i] >= least;
        }
    }
    return number;
}

WIDE static void score_wide(const Index *index, const Space *space, float expected,
                            const uint8_t *hidden)
{
    score_tallies(index, space, expected, hidden);
}

static void score_narrow(const Index *index, const Space *space, float expected,
                         const uint8_t *hidden)
{
    score_tallies(index, space, expected, hidden);
}

WIDE static int64_t collect_wide(const Index *index, const int32_t *scores, int32_t least,
                                 Hit *hits)
{
    return collect(index, scores, least, hits);
}

static int64_t collect_narrow(const Index *index, const int32_t *scores, int32_t least, Hit *hits)
{
    return collect(index, scores, least, hits);
}

/* Bring the highest scores above 0 to the front of the hits, in any order. Returns how many there
 * are. */
static int64_t highest_tallies(const Index *index, const Space *space, int64_t most)
{
    const int32_t *scores = space->tally;
    int32_t bins[1 << BIN_BITS] = {0}, lowest = (1 << BIN_BITS) - 1;
    /* A sample tells about where the last of them will be. */
    for (int64_t i = 0; i < index->size; i += SAMPLED)
        bins[scores[i] >> (31 - BIN_BITS)]++;
    for (int64_t there = bins[lowest]; lowest > 0 && there < most * 3 / 2 / SAMPLED;)
        there += bins[--lowest];
    int64_t number = 0;
    for (int32_t least = lowest << (31 - BIN_BITS);; least = 1) {
        least = least > 1 ? least : 1;
        number = (HAS_WIDE ? collect_wide : collect_narrow)(index, scores, least, space->hits);
        if (number >= most || least == 1)
            break;
    }
    return select_hits(space->hits, number, most);
}

/* Ask for a target some time before it is read: they are all over the memory. */
static void prefetch_target(Sequence target)
{
    for (int64_t position = 0; position < target.length; position += 64)
        __builtin_prefetch(target.codes + position);
}

/* Extend the hits from first to last without gaps; returns the best score. */
static int32_t extend_hits(const Index *index, const Space *space, Sequence query, Hit *hits,
                           int64_t first, int64_t last)
{
    int32_t best = 0;
    for (int64_t i = first; i < last; i++) {
        int32_t target = hits[i].target;
        int32_t score =
            extend_ungapped(index, space, query, target, space->best_diagonals[target]);
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
    Hit *hits = space->hits, best[limits->sensitive + limits->ranked];
    int64_t sum = tally_neighbours(index, &space->neighbours, limits->tally_score, space->tally);
    const float expected = (float)((double)sum / (double)index->starts[index->size]);
    (HAS_WIDE ? score_wide : score_narrow)(index, space, expected, hidden);
    /* Most often there is one block. */
    const int64_t most = limits->block < limits->tallied ? limits->block : limits->tallied;
    int64_t number = highest_tallies(index, space, most), kept = 0, block = most;
    const double cutoff = ungapped_cutoff(index, limits, query);
    for (int64_t first = 0;; first += block, block = limits->next_block) {
        if (first == most) {
            number = highest_tallies(index, space, limits->tallied);
            select_hits(hits, number, most);
        }
        if (first >= number)
            break;
        int64_t size = select_hits(hits + first, number - first, block);
        for (int64_t i = first; i < first + size; i++) {
            if (i + STARTS_AHEAD < first + size)
                __builtin_prefetch(index->starts + hits[i + STARTS_AHEAD].target);
            if (i + TARGETS_AHEAD < first + size)
                prefetch_target(target_at(index, hits[i + TARGETS_AHEAD].target));
            Diagonal own = best_diagonal(index, &space->neighbours, space, query.length,
                                         hits[i].target);
            if (own.sum < 0)
                return -1;
            hits[i].score = (float)own.sum;
            space->best_diagonals[hits[i].target] = own.number;
        }
        size = select_hits(hits + first, size, limits->ranked);
        int64_t probed = select_hits(hits + first, size, limits->probed);
        memcpy(best + kept, hits + first, (size_t)size * sizeof *hits);
        int32_t highest = extend_hits(index, space, query, best, kept, kept + probed);
        double least = kept == limits->sensitive ? best[kept - 1].score : 0;
        int done = highest < cutoff || highest < least;
        size = done ? probed : size;
        extend_hits(index, space, query, best, kept + probed, kept + size);
        kept = best_hits(best, kept + size, limits->sensitive);
        if (done)
            break;
    }
    memset(space->tally, 0, (size_t)index->size * sizeof *space->tally);
    for (number = 0; number < kept && best[number].score >= cutoff; number++)
        found[number] = best[number].target;
    return number;
}
