/* Ungapped extension: the best-scoring segment of a target's best diagonals; see ungapped.py. */
#include "lookup.h"

enum { DIAGONALS = 3 }; /* on which segments are scored */

/* Score of the best segment of a diagonal, by the profile of the query. */
static int32_t segment_score(const Space *space, Sequence query, Sequence target, int64_t diagonal)
{
    int64_t first = diagonal < 0 ? -diagonal : 0, stride = stride_of(query.length);
    int64_t last = target.length - diagonal;
    last = last < query.length ? last : query.length;
    int32_t best = 0, sum = 0;
    for (int64_t position = first; position < last; position++) {
        sum += space->profile[target.codes[position + diagonal] * stride + position];
        sum = sum > 0 ? sum : 0;
        best = sum > best ? sum : best;
    }
    return best;
}

/* Score of the best segment of those diagonals of a target that have most matches of the seeds of a
 * table; -1 without memory. */
int32_t extend_ungapped(const Index *index, Space *space, Sequence query, const SeedTable *table,
                        int64_t number)
{
    int64_t touched = add_diagonals(index, table, space, query.length, number, 0);
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
        Sequence target = target_at(index, number);
        int32_t score = segment_score(space, query, target, highest[i] - query.length);
        best = score > best ? score : best;
    }
    return best;
}
