/* The search for references with words like those of a protein, one behind the other. */
#include <math.h>
#include <string.h>

#include "references.h"

/* Diagonals of a reference on which residues are scored; references asked for ahead. */
enum { DIAGONALS = 3, AHEAD = 2 };

/* Tally references by the words like those of a protein; see portable_index. */
static void tally_similar(const Index *index, const Places *alike, int32_t least, int32_t *tally)
{
    for (int64_t i = 0; i < alike->number; i++) {
        Row row = alike->rows[i];
        if (row.score < least)
            continue;
        int32_t weight = index->weights[row.word] * (row.score - least + 2) / 16;
        tally_postings(index, index->word_starts[row.word], index->word_starts[row.word + 1],
                       weight, tally);
    }
}

/* The references that were tallied more than is to be expected of their length, the highest.
 * Returns how many there are. */
static int64_t tallied_highest(const Index *index, const Limits *limits, const int32_t *tally,
                               const uint8_t *hidden, Hit *hits)
{
    int64_t sum = 0, number = 0;
    for (int64_t i = 0; i < index->size; i++)
        sum += tally[i];
    double expected = (double)sum / (double)index->starts[index->size];
    for (int64_t i = 0; i < index->size; i++) {
        int64_t length = index->starts[i + 1] - index->starts[i];
        double excess = tally[i] - expected * (double)length;
        if (excess <= 0 || (hidden && hidden[i]))
            continue;
        length = length > limits->short_for_tally ? length : limits->short_for_tally;
        hits[number++] = (Hit){(float)(excess / sqrt((double)length)), (int32_t)i};
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

/* The best part of the diagonals of a reference that have most in common with a protein. */
static int32_t best_segment(const Index *index, Space *space, Protein protein, int64_t number)
{
    int64_t touched = add_diagonals(index, &space->alike, space, protein.length, number, 0);
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

/* Ask for a reference some time before it is read: they are all over the memory. */
static void prefetch(Protein reference)
{
    for (int64_t place = 0; place < reference.length; place += 64)
        __builtin_prefetch(reference.codes + place);
}

/* Find references that have many words like those of a protein, one behind the other; see
 * portable_index.PortableIndex. The protein has to be prepared, and there have to be rows of such
 * words. found (similar,), the best first. */
int64_t search_similar(const Index *index, const Limits *limits, Space *space, Protein protein,
                       const uint8_t *hidden, int32_t *found)
{
    Hit *hits = space->hits;
    tally_similar(index, &space->alike, limits->more_alike, space->tally);
    int64_t number = tallied_highest(index, limits, space->tally, hidden, hits);
    memset(space->tally, 0, (size_t)index->size * sizeof *space->tally);
    for (int64_t i = 0; i < number; i++) {
        if (i + AHEAD < number)
            prefetch(reference_at(index, hits[i + AHEAD].reference));
        int32_t score = best_diagonal(index, space, protein.length, hits[i].reference);
        if (score < 0)
            return -1;
        hits[i].score = (float)score;
    }
    number = select_hits(hits, number, limits->ranked);
    for (int64_t i = 0; i < number; i++) {
        int32_t score = best_segment(index, space, protein, hits[i].reference);
        if (score < 0)
            return -1;
        hits[i].score = (float)score;
    }
    number = best_hits(hits, number, limits->similar);
    for (int64_t i = 0; i < number; i++)
        found[i] = hits[i].reference;
    return number;
}
