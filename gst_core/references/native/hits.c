/* The best of many hits. */
#include <stdlib.h>

#include "lookup.h"

/* Higher scores come first, of equal ones the first target. */
static inline int comes_before(Hit one, Hit other)
{
    return one.score != other.score ? one.score > other.score : one.target < other.target;
}

static int by_score(const void *one, const void *other)
{
    return comes_before(*(const Hit *)one, *(const Hit *)other) ? -1 : 1;
}

/* Bring the best hits to the front, in any order (Hoare 1961). Returns how many there are. */
int64_t select_hits(Hit *hits, int64_t number, int64_t most)
{
    if (number <= most)
        return number;
    for (int64_t low = 0, high = number - 1; low < high;) {
        Hit pivot = hits[low + (high - low) / 2];
        int64_t left = low, right = high;
        while (left <= right) {
            while (comes_before(hits[left], pivot))
                left++;
            while (comes_before(pivot, hits[right]))
                right--;
            if (left <= right) {
                Hit hit = hits[left];
                hits[left++] = hits[right];
                hits[right--] = hit;
            }
        }
        if (most <= right)
            high = right;
        else if (most >= left)
            low = left;
        else
            break;
    }
    return most;
}

/* Bring the best hits to the front, the best first. Returns how many there are. */
int64_t best_hits(Hit *hits, int64_t number, int64_t most)
{
    number = select_hits(hits, number, most);
    qsort(hits, (size_t)number, sizeof *hits, by_score);
    return number;
}
