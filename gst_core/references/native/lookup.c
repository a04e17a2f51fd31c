/* A query's way through the stages: which targets are found, and how well they align; see
 * lookup.py. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lookup.h"

/* A target found for a query. */
typedef struct {
    double shared; /* weight of shared seeds, in nats */
    int64_t score; /* of the alignment; 0 where there is none */
    int32_t number, symbol;
    int32_t rank; /* by its seeds */
    int32_t to_align;
    int32_t unlikely; /* whether no ungapped segment of it stands out from chance */
} Candidate;

static int by_score(const void *one, const void *other)
{
    const Candidate *a = one, *b = other;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    /* Of genes with the same protein the first by name comes first: RSPH10B before RSPH10B2. */
    if (a->score && a->symbol != b->symbol)
        return a->symbol < b->symbol ? -1 : 1;
    return a->rank < b->rank ? -1 : 1;
}

/* Align the first targets of each symbol among those that are to be aligned, where an ungapped
 * segment stands out from chance. Returns the best score of all so far, or -1 without memory. */
static int64_t align_chosen(const Index *index, const Limits *limits, Space *space, Sequence query,
                            Candidate *candidates, int64_t number)
{
    const double cutoff = ungapped_cutoff(index, limits, query);
    int64_t best = 0;
    for (int64_t i = 0; i < number; i++) {
        Candidate *own = candidates + i;
        int before = 0;
        if (!own->to_align || own->score || own->unlikely)
            continue;
        for (int64_t j = 0; j < i; j++)
            before += candidates[j].to_align && candidates[j].symbol == own->symbol;
        if (before >= limits->aligned)
            continue;
        Diagonal on = best_diagonal(index, &space->exact, space, query.length, own->number);
        if (on.sum < 0)
            return -1;
        int32_t score = 0;
        if (on.sum)
            score = extend_ungapped(index, space, query, own->number, on.number);
        own->unlikely = (double)score < cutoff;
        if (own->unlikely)
            continue;
        own->score = align(index, limits, space, query, own->number);
        if (own->score < 0)
            return -1;
    }
    for (int64_t i = 0; i < number; i++)
        best = candidates[i].score > best ? candidates[i].score : best;
    return best;
}

static void choose_none(Candidate *candidates, int64_t number)
{
    for (int64_t i = 0; i < number; i++)
        candidates[i].to_align = 0;
}

/* Choose what shares enough seeds; of a single symbol one target shows how near it is. */
static void choose_by_seeds(const Index *index, const Limits *limits, Candidate *candidates,
                            int64_t number)
{
    double highest = 0, scores[number + 1];
    int others = 0;
    for (int64_t i = 0; i < number; i++) {
        int64_t size = target_at(index, candidates[i].number).length;
        size = size > limits->shortest ? size : limits->shortest;
        scores[i] = candidates[i].shared / sqrt((double)size);
        highest = scores[i] > highest ? scores[i] : highest;
    }
    for (int64_t i = 0; i < number && i < limits->searched; i++) {
        candidates[i].to_align = scores[i] >= limits->worth * highest;
        others |= candidates[i].to_align && candidates[i].symbol != candidates[0].symbol;
    }
    for (int64_t i = 1; i < number && !others; i++)
        candidates[i].to_align = 0;
}

/* Choose a target of each of the first symbols. */
static void choose_competing(const Limits *limits, Candidate *candidates, int64_t number)
{
    int symbols = 0;
    for (int64_t i = 0; i < number && symbols < limits->competing; i++) {
        int64_t j = 0;
        while (candidates[j].symbol != candidates[i].symbol)
            j++;
        candidates[i].to_align = j == i;
        symbols += j == i;
    }
}

/* Add the hits of the sensitive search, and choose them and the best by their seeds. Returns how
 * many candidates there are, or -1 without memory. */
static int64_t add_sensitive(const Index *index, const Limits *limits, Space *space, Sequence query,
                             const uint8_t *hidden, Candidate *candidates, int64_t number)
{
    int32_t found[limits->sensitive];
    int64_t before = number;
    if (!space->neighbours.number && add_neighbours(index, limits, &space->neighbours, query))
        return -1;
    int64_t hits = search_sensitively(index, limits, space, query, hidden, found);
    for (int64_t i = 0; i < before && i < limits->best_by_seeds; i++)
        candidates[i].to_align = 1;
    for (int64_t i = 0; i < hits; i++) {
        int64_t j = 0;
        while (j < before && candidates[j].number != found[i])
            j++;
        if (j == before) {
            j = number++;
            int32_t symbol = index->classes[found[i]];
            candidates[j] = (Candidate){.number = found[i], .symbol = symbol, .rank = (int32_t)j};
        }
        candidates[j].to_align = 1;
        if (!candidates[j].score)
            candidates[j].score = align(index, limits, space, query, found[i]);
        if (candidates[j].score < 0)
            return -1;
    }
    return hits < 0 ? -1 : number;
}

/* Align the targets with the very sequence of a query, which the prefilter may rank low. Returns
 * how many candidates there are, or -1 without memory. */
static int64_t align_identical(const Index *index, const Limits *limits, Space *space,
                               Sequence query, const uint8_t *hidden, double own,
                               Candidate *candidates, int64_t number)
{
    int32_t found[limits->identical];
    int64_t before = number, identical = 0;
    if (query.length)
        identical = find_identical(index, limits, query, hidden, found);
    for (int64_t i = 0; i < identical; i++) {
        int64_t j = 0;
        while (j < before && candidates[j].number != found[i])
            j++;
        if (j == before) {
            j = number++;
            candidates[j] = (Candidate){.shared = own,
                                        .number = found[i],
                                        .symbol = index->classes[found[i]],
                                        .rank = (int32_t)j};
        }
        candidates[j].score = align(index, limits, space, query, found[i]);
        if (candidates[j].score < 0)
            return -1;
    }
    return number;
}

static int64_t look_up(const Index *index, const Limits *limits, Space *space, Sequence query,
                       const uint8_t *hidden, double *own, Candidate *candidates)
{
    int32_t found[limits->found], shared[limits->found];
    int64_t sums[2], whole = 0;
    if (room_for_query(space, query.length) || prepare_query(index, limits, space, query))
        return -1;
    int64_t number = prefilter(index, limits, space, hidden, limits->found, found, shared, sums);
    double scale = (double)sums[0] / (double)(sums[1] > 1 ? sums[1] : 1) / limits->parts;
    *own = (double)sums[0] / limits->parts;
    for (int64_t i = 0; i < number; i++)
        candidates[i] = (Candidate){.shared = shared[i] * scale,
                                    .number = found[i],
                                    .symbol = index->classes[found[i]],
                                    .rank = (int32_t)i};
    for (int64_t position = 0; position < query.length; position++)
        whole += index->scores[query.codes[position] * (RESIDUES + 1)];
    whole = whole > 1 ? whole : 1;
    choose_by_seeds(index, limits, candidates, number);
    number = align_identical(index, limits, space, query, hidden, *own, candidates, number);
    if (number < 0)
        return -1;
    int64_t best = align_chosen(index, limits, space, query, candidates, number);
    choose_none(candidates, number);
    if (best >= 0 && (double)best < limits->doubtful * (double)whole) {
        choose_competing(limits, candidates, number);
        best = align_chosen(index, limits, space, query, candidates, number);
        choose_none(candidates, number);
    }
    if (best >= 0 && (double)best < limits->weak * (double)whole) {
        number = add_sensitive(index, limits, space, query, hidden, candidates, number);
        if (number >= 0)
            best = align_chosen(index, limits, space, query, candidates, number);
    }
    if (best < 0 || number < 0)
        return -1;
    qsort(candidates, (size_t)number, sizeof *candidates, by_score);
    return number;
}

/* Look up a batch of queries; see lookup.LookUp. starts (queries + 1,): where each begins in
 * codes; hidden (queries,) of (size,), or null. numbers, own (queries,): targets found, and
 * the weight of the query's seeds; found, shared, scores: of all, one query after the other,
 * with room for `found`, `sensitive` and `identical` of each. Returns how many were found for all.
 */
int64_t look_up_batch(const Index *index, const Limits *limits, Space *space, int64_t queries,
                      const uint8_t *codes, const int64_t *starts, const uint8_t *const *hidden,
                      int64_t *numbers, double *own, int32_t *found, double *shared, double *scores)
{
    Candidate candidates[limits->found + limits->sensitive + limits->identical];
    int64_t total = 0;
    for (int64_t row = 0; row < queries; row++) {
        Sequence query = {codes + starts[row], starts[row + 1] - starts[row]};
        numbers[row] = look_up(index, limits, space, query, hidden ? hidden[row] : NULL, own + row,
                               candidates);
        if (numbers[row] < 0)
            return -1;
        for (int64_t i = 0; i < numbers[row]; i++, total++) {
            found[total] = candidates[i].number;
            shared[total] = candidates[i].shared;
            scores[total] = (double)candidates[i].score;
        }
    }
    return total;
}
