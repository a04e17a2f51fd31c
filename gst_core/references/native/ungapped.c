/* Ungapped extension: the best-scoring segment of a target's best diagonal; see ungapped.py. */
#include "lookup.h"

/* Add a score to the sum of the segment that ends here. */
static inline void extend(int32_t *sum, int32_t *best, int32_t score)
{
    *sum = *sum + score > 0 ? *sum + score : 0;
    *best = *sum > *best ? *sum : *best;
}

/* Score of the best segment of a target's diagonal, or of that before or after it, by the profile of
 * the query. */
int32_t extend_ungapped(const Index *index, const Space *space, Sequence query, int64_t number,
                        int64_t diagonal)
{
    Sequence target = target_at(index, number);
    const int64_t stride = stride_of(query.length);
    int64_t first = diagonal > 1 ? diagonal - 1 : 0, last = query.length + diagonal + 1;
    last = last < target.length ? last : target.length;
    int32_t before = 0, sum = 0, after = 0, best = 0;
    for (int64_t at = first; at < last; at++) {
        int64_t position = at - diagonal;
        const int16_t *scores = space->profile + target.codes[at] * stride + position;
        if (position >= -1 && position + 1 < query.length)
            extend(&before, &best, scores[1]);
        if (position >= 0 && position < query.length)
            extend(&sum, &best, scores[0]);
        if (position >= 1)
            extend(&after, &best, scores[-1]);
    }
    return best;
}
