/* Which references are found for a protein, and how well they align; see lookup.py. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "references.h"

/* A reference found for a protein. */
typedef struct {
    double shared; /* weight of shared words, in nats */
    int64_t score; /* of the alignment; 0 where there is none */
    int32_t number, symbol;
    int32_t place; /* by its words */
    int32_t wanted;
    int32_t unlikely; /* whether no part of it aligns better than chance */
} Candidate;

static int by_score(const void *one, const void *other)
{
    const Candidate *a = one, *b = other;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    /* Of genes with the same protein the first by name comes first: RSPH10B before RSPH10B2. */
    if (a->score && a->symbol != b->symbol)
        return a->symbol < b->symbol ? -1 : 1;
    return a->place < b->place ? -1 : 1;
}

/* Align the first references of each symbol among those wanted. Once `tried` of them are no better
 * than chance, only those of which a part is, without gaps. Returns the best score of all so far,
 * or -1 without memory. */
static int64_t align_wanted(const Index *index, const Limits *limits, Space *space,
                            Protein protein, Candidate *candidates, int64_t number)
{
    int64_t best = 0, tried = 0;
    const double chance = by_chance(index, limits, protein, limits->lambda, limits->kappa);
    const double segment =
        by_chance(index, limits, protein, limits->ungapped_lambda, limits->ungapped_kappa);
    for (int64_t i = 0; i < number; i++) {
        best = candidates[i].score > best ? candidates[i].score : best;
        tried += candidates[i].score > 0;
    }
    for (int64_t i = 0; i < number; i++) {
        Candidate *own = candidates + i;
        int before = 0;
        if (!own->wanted || own->score || own->unlikely)
            continue;
        for (int64_t j = 0; j < i; j++)
            before += candidates[j].wanted && candidates[j].symbol == own->symbol;
        if (before >= limits->aligned)
            continue;
        if (tried >= limits->tried && (double)best < chance) {
            int32_t score = best_segment(index, space, protein, &space->same, own->number);
            if (score < 0)
                return -1;
            own->unlikely = (double)score < segment;
            if (own->unlikely)
                continue;
        }
        own->score = align(index, limits, space, protein, own->number);
        if (own->score < 0)
            return -1;
        tried++;
        best = own->score > best ? own->score : best;
    }
    return best;
}

static void want_none(Candidate *candidates, int64_t number)
{
    for (int64_t i = 0; i < number; i++)
        candidates[i].wanted = 0;
}

/* Want what words say is worth it; of a single symbol one reference shows how near it is. */
static void want_by_words(const Index *index, const Limits *limits, Candidate *candidates,
                          int64_t number)
{
    double highest = 0, words[number + 1];
    int others = 0;
    for (int64_t i = 0; i < number; i++) {
        int64_t size = reference_at(index, candidates[i].number).length;
        size = size > limits->shortest ? size : limits->shortest;
        words[i] = candidates[i].shared / sqrt((double)size);
        highest = words[i] > highest ? words[i] : highest;
    }
    for (int64_t i = 0; i < number && i < limits->searched; i++) {
        candidates[i].wanted = words[i] >= limits->worth * highest;
        others |= candidates[i].wanted && candidates[i].symbol != candidates[0].symbol;
    }
    for (int64_t i = 1; i < number && !others; i++)
        candidates[i].wanted = 0;
}

/* Want a reference of each of the first symbols. */
static void want_rivals(const Limits *limits, Candidate *candidates, int64_t number)
{
    int rivals = 0;
    for (int64_t i = 0; i < number && rivals < limits->rivals; i++) {
        int64_t j = 0;
        while (candidates[j].symbol != candidates[i].symbol)
            j++;
        candidates[i].wanted = j == i;
        rivals += j == i;
    }
}

/* Add references with similar words, and want them and the best by equal ones. Returns how many
 * candidates there are, or -1 without memory. */
static int64_t add_similar(const Index *index, const Limits *limits, Space *space,
                           Protein protein, const uint8_t *hidden, Candidate *candidates,
                           int64_t number)
{
    int32_t found[limits->similar];
    int64_t words = number;
    if (!space->alike.number && place_similar(index, limits, &space->alike, protein))
        return -1;
    int64_t similar = search_similar(index, limits, space, protein, hidden, found);
    for (int64_t i = 0; i < words && i < limits->sure; i++)
        candidates[i].wanted = 1;
    for (int64_t i = 0; i < similar; i++) {
        int64_t j = 0;
        while (j < words && candidates[j].number != found[i])
            j++;
        if (j == words) {
            j = number++;
            int32_t symbol = index->classes[found[i]];
            candidates[j] = (Candidate){.number = found[i], .symbol = symbol, .place = (int32_t)j};
        }
        candidates[j].wanted = 1;
        if (!candidates[j].score)
            candidates[j].score = align(index, limits, space, protein, found[i]);
        if (candidates[j].score < 0)
            return -1;
    }
    return similar < 0 ? -1 : number;
}

/* Align the references with the very sequence of a protein, which its words may rank low. Returns
 * how many candidates there are, or -1 without memory. */
static int64_t align_identical(const Index *index, const Limits *limits, Space *space,
                               Protein protein, const uint8_t *hidden, double own,
                               Candidate *candidates, int64_t number)
{
    int32_t found[limits->identical];
    int64_t words = number, identical = 0;
    if (protein.length)
        identical = find_identical(index, limits, protein, hidden, found);
    for (int64_t i = 0; i < identical; i++) {
        int64_t j = 0;
        while (j < words && candidates[j].number != found[i])
            j++;
        if (j == words) {
            j = number++;
            candidates[j] = (Candidate){.shared = own,
                                        .number = found[i],
                                        .symbol = index->classes[found[i]],
                                        .place = (int32_t)j};
        }
        candidates[j].score = align(index, limits, space, protein, found[i]);
        if (candidates[j].score < 0)
            return -1;
    }
    return number;
}

static int64_t look_up(const Index *index, const Limits *limits, Space *space, Protein protein,
                       const uint8_t *hidden, double *own, Candidate *candidates)
{
    int32_t found[limits->found], shared[limits->found];
    int64_t sums[2], whole = 0;
    if (room_for_protein(space, protein.length) || prepare(index, limits, space, protein))
        return -1;
    int64_t number = search(index, limits, space, hidden, limits->found, found, shared, sums);
    double scale = (double)sums[0] / (double)(sums[1] > 1 ? sums[1] : 1) / limits->parts;
    *own = (double)sums[0] / limits->parts;
    for (int64_t i = 0; i < number; i++)
        candidates[i] = (Candidate){.shared = shared[i] * scale,
                                    .number = found[i],
                                    .symbol = index->classes[found[i]],
                                    .place = (int32_t)i};
    for (int64_t place = 0; place < protein.length; place++)
        whole += index->scores[protein.codes[place] * (RESIDUES + 1)];
    whole = whole > 1 ? whole : 1;
    want_by_words(index, limits, candidates, number);
    number = align_identical(index, limits, space, protein, hidden, *own, candidates, number);
    if (number < 0)
        return -1;
    int64_t best = align_wanted(index, limits, space, protein, candidates, number);
    want_none(candidates, number);
    if (best >= 0 && (double)best < limits->doubtful * (double)whole) {
        want_rivals(limits, candidates, number);
        best = align_wanted(index, limits, space, protein, candidates, number);
        want_none(candidates, number);
    }
    if (best >= 0 && (double)best < limits->weak * (double)whole) {
        number = add_similar(index, limits, space, protein, hidden, candidates, number);
        if (number >= 0)
            best = align_wanted(index, limits, space, protein, candidates, number);
    }
    if (best < 0 || number < 0)
        return -1;
    qsort(candidates, (size_t)number, sizeof *candidates, by_score);
    return number;
}

/* Look up a batch of proteins; see lookup.LookUp. starts (proteins + 1,): where each begins in
 * codes; hidden (proteins,) of (size,), or null. numbers, own (proteins,): references found, and
 * the weight of the protein's words; found, shared, scores: of all, one protein after the other,
 * with room for `found`, `similar` and `identical` of each. Returns how many were found for all. */
int64_t look_up_batch(const Index *index, const Limits *limits, Space *space, int64_t proteins,
                      const uint8_t *codes, const int64_t *starts, const uint8_t *const *hidden,
                      int64_t *numbers, double *own, int32_t *found, double *shared,
                      double *scores)
{
    Candidate candidates[limits->found + limits->similar + limits->identical];
    int64_t total = 0;
    for (int64_t row = 0; row < proteins; row++) {
        Protein protein = {codes + starts[row], starts[row + 1] - starts[row]};
        numbers[row] = look_up(index, limits, space, protein, hidden ? hidden[row] : NULL,
                               own + row, candidates);
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
