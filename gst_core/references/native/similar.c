/* The search for references with words like those of a protein, one behind the other. */
#include <math.h>
#include <string.h>

#include "references.h"

/* Diagonals of a reference on which residues are scored; references asked for ahead. */
enum { DIAGONALS = 3, AHEAD = 2, SOON = 8, BIN_BITS = 12 };

/* Tally references by the words like those of a protein; see portable_index. Returns the sum. */
static int64_t tally_similar(const Index *index, const Places *alike, int32_t least, int32_t *tally)
{
    const int64_t bytes = index->wide ? sizeof(uint32_t) : sizeof(uint16_t);
    int64_t sum = 0;
    for (int64_t i = 0; i < alike->number; i++) {
        Row row = alike->rows[i];
        /* Postings are all over the memory: ask for them some time before they are needed. */
        if (i + SOON < alike->number) {
            int64_t first = index->word_starts[alike->rows[i + SOON].word];
            __builtin_prefetch((const char *)index->postings + first * bytes);
        }
        if (row.score < least)
            continue;
        int32_t weight = index->weights[row.word] * (row.score - least + 2) / 16;
        int32_t first = index->word_starts[row.word], last = index->word_starts[row.word + 1];
        tally_postings(index, first, last, weight, tally);
        sum += (int64_t)weight * (last - first);
    }
    return sum;
}

/* The references that were tallied more than is to be expected of their length, the highest, in
 * any order; sum: of the tally, which is overwritten. Returns how many there are. */
static int64_t tallied_highest(const Index *index, const Limits *limits, int64_t sum,
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

/* The best of a reference's diagonals, with that before and after it; see portable_index. */
static int32_t best_diagonal(const Index *index, Space *space, int64_t length, int64_t number)
{
    int64_t touched = add_diagonals(index, &space->alike, space, length, number, 0);
    int32_t best = 0;
    for (int64_t i = 0; i < touched; i++) {
        const int32_t *sum = space->sums + 1 + space->touched[i];
        int32_t score = sum[-1] + sum[0] + sum[1];
        best = score > best ? score : best;
    }
    forget_diagonals(space, touched);
    return touched < 0 ? -1 : best;
}

/* The best part of a diagonal, without gaps, by the profile of the protein. */
static int32_t best_part(const Space *space, Protein protein, Protein reference, int64_t diagonal)
{
    int64_t first = diagonal < 0 ? -diagonal : 0, stride = stride_of(protein.length);
    int64_t last = reference.length - diagonal;
    last = last < protein.length ? last : protein.length;
    int32_t best = 0, sum = 0;
    for (int64_t place = first; place < last; place++) {
        sum += space->profile[reference.codes[place + diagonal] * stride + place];
        sum = sum > 0 ? sum : 0;
        best = sum > best ? sum : best;
    }
    return best;
}

/* The best part of the diagonals of a reference on which most words of some places lie; -1 without
 * memory. */
int32_t best_segment(const Index *index, Space *space, Protein protein, const Places *places,
                     int64_t number)
{
    int64_t touched = add_diagonals(index, places, space, protein.length, number, 0);
    const int32_t *sums = space->sums + 1;
    int64_t highest[DIAGONALS];
    int there = 0;
    for (int64_t i = 0; i < touched; i++) {
        int64_t diagonal = space->touched[i];
        int at = there < DIAGONALS ? there++ : DIAGONALS;
        for (; at > 0; at--) {
            int64_t before = highest[at - 1];
            if (sums[before] > sums[diagonal] ||
                (sums[before] == sums[diagonal] && before < diagonal))
                break;
            if (at < DIAGONALS)
                highest[at] = before;
        }
        if (at < DIAGONALS)
            highest[at] = diagonal;
    }
    forget_diagonals(space, touched);
    int32_t best = touched < 0 ? -1 : 0;
    for (int i = 0; i < there; i++) {
        Protein reference = reference_at(index, number);
        int32_t score = best_part(space, protein, reference, highest[i] - protein.length);
        best = score > best ? score : best;
    }
    return best;
}

/* The score that strangers reach by chance; see alignment.score_by_chance. */
double by_chance(const Index *index, const Limits *limits, Protein protein, double lambda,
                 double kappa)
{
    double cells = (double)protein.length * (double)index->starts[index->size];
    return protein.length < limits->judged ? 0 : log(kappa * cells / limits->unexpected) / lambda;
}

/* Ask for a reference some time before it is read: they are all over the memory. */
static void prefetch(Protein reference)
{
    for (int64_t place = 0; place < reference.length; place += 64)
        __builtin_prefetch(reference.codes + place);
}

/* Score the best segments of the hits from first to last; returns the best score, or -1. */
static int32_t score_segments(const Index *index, Space *space, Protein protein, Hit *hits,
                              int64_t first, int64_t last)
{
    int32_t best = 0;
    for (int64_t i = first; i < last; i++) {
        int32_t score = best_segment(index, space, protein, &space->alike, hits[i].reference);
        if (score < 0)
            return -1;
        hits[i].score = (float)score;
        best = score > best ? score : best;
    }
    return best;
}

/* Find references that have many words like those of a protein, one behind the other; see
 * portable_index.PortableIndex. The protein has to be prepared, and there have to be rows of such
 * words. found (similar,), the best first. */
int64_t search_similar(const Index *index, const Limits *limits, Space *space, Protein protein,
                       const uint8_t *hidden, int32_t *found)
{
    Hit *hits = space->hits;
    int64_t sum = tally_similar(index, &space->alike, limits->more_alike, space->tally), kept = 0;
    int64_t number = tallied_highest(index, limits, sum, hidden, space->tally, hits);
    memset(space->tally, 0, (size_t)index->size * sizeof *space->tally);
    const double chance =
        by_chance(index, limits, protein, limits->ungapped_lambda, limits->ungapped_kappa);
    for (int64_t first = 0; first < number; first += limits->block) {
        Hit *block = hits + first;
        int64_t size = select_hits(block, number - first, limits->block);
        for (int64_t i = 0; i < size; i++) {
            if (i + AHEAD < size)
                prefetch(reference_at(index, block[i + AHEAD].reference));
            int32_t score = best_diagonal(index, space, protein.length, block[i].reference);
            if (score < 0)
                return -1;
            block[i].score = (float)score;
        }
        size = select_hits(block, size, limits->ranked);
        int64_t probed = select_hits(block, size, limits->probed);
        int32_t best = score_segments(index, space, protein, block, 0, probed);
        int done = best < chance;
        size = done ? probed : size;
        if (best < 0 || score_segments(index, space, protein, block, probed, size) < 0)
            return -1;
        memmove(hits + kept, block, (size_t)size * sizeof *hits);
        kept += size;
        if (done)
            break;
    }
    kept = best_hits(hits, kept, limits->similar);
    for (number = 0; number < kept && hits[number].score >= chance; number++)
        found[number] = hits[number].reference;
    return number;
}
