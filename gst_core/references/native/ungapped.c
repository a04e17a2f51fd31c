/* Ungapped extension: the best-scoring segment of a target's best diagonal; see ungapped.py. */
#include <math.h>
#include <string.h>

#include "lookup.h"

/* The score from which a segment stands out from chance; 0 for short queries. */
double ungapped_cutoff(const Index *index, const Limits *limits, Sequence query)
{
    double cells = (double)query.length * (double)index->starts[index->size];
    if (query.length < limits->judged)
        return 0;
    return log(limits->kappa * cells / limits->chance) / limits->lambda;
}

/* A diagonal and its neighbours: that after it, itself, that before it, and one that does not
 * count. */
enum { BESIDE = 4 };
typedef int32_t Sums __attribute__((vector_size(4 * BESIDE)));
typedef int16_t Scores __attribute__((vector_size(2 * BESIDE)));

/* Of the segments that end at a position of the target, and of all before, the best scores. */
typedef struct {
    Sums here, best;
} Segments;

/* Add what the residues at the next position of the target score on each diagonal. */
BODY Segments extended(Segments before, Sums scores)
{
    Sums here = before.here + scores, best;
    for (int i = 0; i < BESIDE; i++)
        here[i] = here[i] > 0 ? here[i] : 0;
    for (int i = 0; i < BESIDE; i++)
        best[i] = here[i] > before.best[i] ? here[i] : before.best[i];
    return (Segments){here, best};
}

/* As extended, where some of the diagonals may have no residue of the query. row: what the target's
 * residue scores at each of its positions; from: the first of these diagonals. */
BODY Segments extended_at_an_end(Segments before, const int16_t *row, int64_t from, int64_t length)
{
    Sums scores = {0};
    for (int i = 0; i < BESIDE; i++)
        scores[i] = from + i >= 0 && from + i < length ? row[from + i] : 0;
    return extended(before, scores);
}

BODY int32_t extend(const Index *index, const Space *space, int64_t length, int64_t number,
                    int64_t diagonal)
{
    Sequence target = target_at(index, number);
    const int64_t stride = stride_of(length);
    int64_t first = diagonal > 1 ? diagonal - 1 : 0, last = length + diagonal + 1, at = first;
    last = last < target.length ? last : target.length;
    Segments segments = {0};
    for (; at < last && at <= diagonal; at++)
        segments = extended_at_an_end(segments, space->profile + target.codes[at] * stride,
                                      at - diagonal - 1, length);
    for (; at < last && at - diagonal - 1 + BESIDE <= length; at++) {
        Scores scores;
        memcpy(&scores, space->profile + target.codes[at] * stride + at - diagonal - 1,
               sizeof scores);
        segments = extended(segments, __builtin_convertvector(scores, Sums));
    }
    for (; at < last; at++)
        segments = extended_at_an_end(segments, space->profile + target.codes[at] * stride,
                                      at - diagonal - 1, length);
    int32_t best = 0;
    for (int i = 0; i < BESIDE - 1; i++)
        best = segments.best[i] > best ? segments.best[i] : best;
    return best;
}

WIDE static int32_t extend_wide(const Index *index, const Space *space, int64_t length,
                                int64_t number, int64_t diagonal)
{
    return extend(index, space, length, number, diagonal);
}

static int32_t extend_narrow(const Index *index, const Space *space, int64_t length, int64_t number,
                             int64_t diagonal)
{
    return extend(index, space, length, number, diagonal);
}

/* Score of the best segment of a target's diagonal, or of that before or after it, by the profile of
 * the query. */
int32_t extend_ungapped(const Index *index, const Space *space, Sequence query, int64_t number,
                        int64_t diagonal)
{
    return (HAS_WIDE ? extend_wide : extend_narrow)(index, space, query.length, number, diagonal);
}
