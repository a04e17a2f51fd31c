/* Building the inverted index: the targets of each seed; see index.py. */
#include <stdlib.h>

#include "lookup.h"

enum { AHEAD = 256 };

/* What is known of a seed while targets are gone through, together: seeds are all over the
 * memory. last: the target that had it last. */
typedef struct {
    int32_t number;
    uint32_t last : 20, weight : 12;
} Slot;

/* A target that is none of those from first on; there are less than 2^20. */
static uint32_t none_from(int64_t first) { return (uint32_t)(first - 1) & ((1u << 20) - 1); }

/* Count in how many of the targets first to last each seed is, (SEEDS,), and score each of them
 * against itself, 1 at least. */
int count_seeds(const uint8_t *codes, const int64_t *starts, int64_t first, int64_t last,
                const int8_t *letters, const int8_t *scores, int32_t *counts, int64_t *own)
{
    Slot *slots = malloc(SEEDS * sizeof *slots);
    int32_t itself[RESIDUES];
    if (!slots)
        return -1;
    for (int32_t seed = 0; seed < SEEDS; seed++)
        slots[seed] = (Slot){0, none_from(first), 0};
    for (int residue = 0; residue < RESIDUES; residue++)
        itself[residue] = scores[residue * (RESIDUES + 1)];
    for (int64_t target = first; target < last; target++) {
        int64_t score = 0;
        for (int64_t position = starts[target]; position + SPAN <= starts[target + 1]; position++) {
            int32_t seed = seed_at(codes + position, letters);
            if (seed < 0)
                continue;
            slots[seed].number += slots[seed].last != target;
            slots[seed].last = (uint32_t)target;
        }
        for (int64_t position = starts[target]; position < starts[target + 1]; position++)
            score += itself[codes[position]];
        own[target] = score > 1 ? score : 1;
    }
    for (int32_t seed = 0; seed < SEEDS; seed++)
        counts[seed] = slots[seed].number;
    free(slots);
    return 0;
}

/* Write the targets first to last to the postings of their seeds, ascending, and sum up the
 * weights of each one's seeds. next (SEEDS,): where the first of them goes; -1 for seeds that have
 * no postings. wide: whether postings are uint32_t in place of uint16_t. */
int fill_postings(const uint8_t *codes, const int64_t *starts, int64_t first, int64_t last,
                  const int8_t *letters, const int32_t *weights, const int32_t *next, int64_t wide,
                  void *postings, int64_t *totals)
{
    uint16_t *narrow_postings = postings;
    uint32_t *wide_postings = postings;
    Slot *slots = malloc(SEEDS * sizeof *slots);
    int32_t positions[AHEAD];
    if (!slots)
        return -1;
    for (int32_t seed = 0; seed < SEEDS; seed++)
        slots[seed] = (Slot){next[seed], none_from(first), (uint32_t)weights[seed]};
    for (int64_t target = first; target < last; target++) {
        int64_t position = starts[target], end = starts[target + 1] - SPAN + 1;
        totals[target] = 0;
        while (position < end) {
            /* Ask for memory some time before it is written to. */
            int number = 0;
            for (; position < end && number < AHEAD; position++) {
                int32_t seed = seed_at(codes + position, letters);
                if (seed < 0)
                    continue;
                Slot *slot = slots + seed;
                if (slot->number < 0 || slot->last == target)
                    continue;
                slot->last = (uint32_t)target;
                totals[target] += slot->weight;
                __builtin_prefetch((char *)postings + slot->number * (int64_t)(wide ? 4 : 2), 1);
                positions[number++] = slot->number++;
            }
            for (int i = 0; i < number; i++)
                if (wide)
                    wide_postings[positions[i]] = (uint32_t)target;
                else
                    narrow_postings[positions[i]] = (uint16_t)target;
        }
    }
    free(slots);
    return 0;
}
