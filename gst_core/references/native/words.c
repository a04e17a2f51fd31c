/* The index of words, and the search for references that share a protein's rarest ones. */
#include <stdlib.h>
#include <string.h>

#include "references.h"

enum { AHEAD = 256, BLOCK = 64, SOON = 8 };

/* What is known of a word while references are gone through, together: words are all over the
 * memory. last: the reference that had it last. */
typedef struct {
    int32_t number;
    uint32_t last : 20, weight : 12;
} Slot;

/* A reference that is none of those from first on; there are less than 2^20. */
static uint32_t none_from(int64_t first) { return (uint32_t)(first - 1) & ((1u << 20) - 1); }

/* Count in how many of the references first to last each word is, (WORDS,), and score each of them
 * against itself, 1 at least. */
int count_words(const uint8_t *codes, const int64_t *starts, int64_t first, int64_t last,
                const int8_t *letters, const int8_t *scores, int32_t *counts, int64_t *own)
{
    Slot *slots = malloc(WORDS * sizeof *slots);
    int32_t itself[RESIDUES];
    if (!slots)
        return -1;
    for (int32_t word = 0; word < WORDS; word++)
        slots[word] = (Slot){0, none_from(first), 0};
    for (int residue = 0; residue < RESIDUES; residue++)
        itself[residue] = scores[residue * (RESIDUES + 1)];
    for (int64_t reference = first; reference < last; reference++) {
        int64_t score = 0;
        for (int64_t place = starts[reference]; place + SPAN <= starts[reference + 1]; place++) {
            int32_t word = word_at(codes + place, letters);
            if (word < 0)
                continue;
            slots[word].number += slots[word].last != reference;
            slots[word].last = (uint32_t)reference;
        }
        for (int64_t place = starts[reference]; place < starts[reference + 1]; place++)
            score += itself[codes[place]];
        own[reference] = score > 1 ? score : 1;
    }
    for (int32_t word = 0; word < WORDS; word++)
        counts[word] = slots[word].number;
    free(slots);
    return 0;
}

/* Write the references first to last to the postings of their words, ascending, and sum up the
 * weights of each one's words. next (WORDS,): where the first of them goes; -1 for words that have
 * no postings. wide: whether postings are uint32_t in place of uint16_t. */
int fill_postings(const uint8_t *codes, const int64_t *starts, int64_t first, int64_t last,
                  const int8_t *letters, const int32_t *weights, const int32_t *next, int64_t wide,
                  void *postings, int64_t *totals)
{
    uint16_t *narrow_postings = postings;
    uint32_t *wide_postings = postings;
    Slot *slots = malloc(WORDS * sizeof *slots);
    int32_t places[AHEAD];
    if (!slots)
        return -1;
    for (int32_t word = 0; word < WORDS; word++)
        slots[word] = (Slot){next[word], none_from(first), (uint32_t)weights[word]};
    for (int64_t reference = first; reference < last; reference++) {
        int64_t place = starts[reference], end = starts[reference + 1] - SPAN + 1;
        totals[reference] = 0;
        while (place < end) {
            /* Ask for memory some time before it is written to. */
            int number = 0;
            for (; place < end && number < AHEAD; place++) {
                int32_t word = word_at(codes + place, letters);
                if (word < 0)
                    continue;
                Slot *slot = slots + word;
                if (slot->number < 0 || slot->last == reference)
                    continue;
                slot->last = (uint32_t)reference;
                totals[reference] += slot->weight;
                __builtin_prefetch((char *)postings + slot->number * (int64_t)(wide ? 4 : 2), 1);
                places[number++] = slot->number++;
            }
            for (int i = 0; i < number; i++)
                if (wide)
                    wide_postings[places[i]] = (uint32_t)reference;
                else
                    narrow_postings[places[i]] = (uint16_t)reference;
        }
    }
    free(slots);
    return 0;
}

/* Distinct words of a prepared protein that some reference has; returns how many. */
static int64_t known_words(const Index *index, Space *space)
{
    int64_t number = 0;
    for (int64_t i = 0; i < space->same.number; i++) {
        Row row = space->same.rows[i];
        if (row.next) /* the word's row before this one */
            continue;
        int32_t start = index->word_starts[row.word];
        int32_t size = index->word_starts[row.word + 1] - start;
        space->words[number] = (Word){start, size, index->weights[row.word]};
        number += size > 0;
    }
    return number;
}

/* The largest number of references that a word may be in so that all such words together have
 * no more than `budget` postings; sizes (common + 1,) is overwritten. */
static int32_t rarest(const Word *words, int64_t number, int32_t common, int64_t budget,
                      int64_t *sizes)
{
    memset(sizes, 0, ((size_t)common + 1) * sizeof *sizes);
    for (int64_t i = 0; i < number; i++)
        sizes[words[i].size] += words[i].size;
    int64_t total = 0;
    for (int32_t size = 1; size <= common; size++) {
        total += sizes[size];
        if (total > budget)
            return size - 1;
    }
    return common;
}

/* Higher scores come first, of equal ones the first reference. */
static inline int comes_before(Hit one, Hit other)
{
    return one.score != other.score ? one.score > other.score : one.reference < other.reference;
}

static int by_score(const void *one, const void *other)
{
    return comes_before(*(const Hit *)one, *(const Hit *)other) ? -1 : 1;
}

/* A reference's score: the weight of the words shared, over the root of its length. */
static inline float score_of(const int32_t *tally, const float *inverse_root, int64_t reference)
{
    return (float)tally[reference] * inverse_root[reference];
}

static inline int32_t bits_of(float number)
{
    int32_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits;
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

/* Find the references that share the rarest words with a prepared protein; see portable_index.
 * found and shared (most,), sums (2,): weights of the protein's words, and of those looked up.
 * Returns how many were found. */
int64_t search(const Index *index, const Limits *limits, Space *space, const uint8_t *hidden,
               int64_t most, int32_t *found, int32_t *shared, int64_t *sums)
{
    const Word *words = space->words;
    const float *inverse_root = index->inverse_root;
    int32_t *tally = space->tally;
    Hit *hits = space->hits;
    int64_t number = known_words(index, space), references = index->size;
    int64_t bytes = index->wide ? sizeof(uint32_t) : sizeof(uint16_t);
    int64_t budget = limits->budget_per_word * number;
    budget = budget < limits->budget ? limits->budget : budget;
    int32_t limit = rarest(words, number, limits->common, budget, space->sizes);
    sums[0] = sums[1] = 0;
    for (int64_t i = 0; i < number; i++) {
        Word word = words[i];
        /* Postings are all over the memory: ask for them some time before they are needed. */
        if (i + SOON < number && words[i + SOON].size <= limit) {
            const char *soon = (const char *)index->postings + words[i + SOON].start * bytes;
            for (int64_t j = 0; j < words[i + SOON].size * bytes; j += 64)
                __builtin_prefetch(soon + j);
        }
        sums[0] += word.weight;
        if (word.size > limit)
            continue;
        sums[1] += word.weight;
        tally_postings(index, word.start, word.start + word.size, word.weight, tally);
    }
    if (hidden)
        for (int64_t i = 0; i < references; i++)
            tally[i] = hidden[i] ? 0 : tally[i];

    /* Scores are not negative, and such numbers have the order of their bits. */
    int32_t highest_bits = 0;
    for (int64_t i = 0; i < references; i++) {
        int32_t bits = bits_of(score_of(tally, inverse_root, i));
        highest_bits = bits > highest_bits ? bits : highest_bits;
    }
    float highest, floor;
    memcpy(&highest, &highest_bits, sizeof highest);
    floor = limits->least * highest;
    int64_t kept = 0;
    for (int64_t block = 0; block < references; block += BLOCK) {
        int64_t end = block + BLOCK < references ? block + BLOCK : references;
        int any = 0;
        for (int64_t i = block; i < end; i++)
            any |= score_of(tally, inverse_root, i) > floor;
        for (int64_t i = block; any && i < end; i++) {
            float score = score_of(tally, inverse_root, i);
            hits[kept] = (Hit){score, (int32_t)i};
            kept += score > floor;
        }
    }
    kept = best_hits(hits, kept, most);
    for (int64_t i = 0; i < kept; i++) {
        found[i] = hits[i].reference;
        shared[i] = tally[hits[i].reference];
    }
    memset(tally, 0, (size_t)references * sizeof *tally);
    return kept;
}
