/* What index.py does, in C: the same numbers, faster, and without Python's lock.
 *
 * A word is four residues with a gap, at the offsets 0, 1, 3 and 4 (words.py). Weights are whole
 * numbers, so that a sum does not depend on its order and both implementations agree to the bit.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LETTERS = 20, WORDS = LETTERS * LETTERS * LETTERS * LETTERS, SPAN = 5 };
enum { AHEAD = 256, BINS = 256, BLOCK = 64 };

#if defined(__GNUC__)
#define PREFETCH(address) __builtin_prefetch(address, 1)
#else
#define PREFETCH(address) ((void)(address))
#endif

/* Which source this was made from: checked on loading. */
const char *source_digest(void) { return SOURCE_DIGEST; }

/* The number of the word that begins here; -1 where a residue has no letter. */
static inline int32_t word_at(const uint8_t *codes, const int8_t *letters)
{
    int32_t a = letters[codes[0]], b = letters[codes[1]];
    int32_t c = letters[codes[3]], d = letters[codes[4]];
    return (a | b | c | d) < 0 ? -1 : ((a * LETTERS + b) * LETTERS + c) * LETTERS + d;
}

/* Count in how many of the references first to last each word is; counts (WORDS,) begin at 0.
 * Returns 0, or -1 without memory. */
int count_words(const uint8_t *codes, const int64_t *starts, int64_t first, int64_t last,
                const int8_t *letters, int32_t *counts)
{
    uint32_t *seen = calloc(WORDS, sizeof *seen);
    if (!seen)
        return -1;
    for (int64_t reference = first; reference < last; reference++) {
        for (int64_t place = starts[reference]; place + SPAN <= starts[reference + 1]; place++) {
            int32_t word = word_at(codes + place, letters);
            if (word < 0 || seen[word] == reference + 1)
                continue;
            seen[word] = (uint32_t)reference + 1;
            counts[word]++;
        }
    }
    free(seen);
    return 0;
}

/* Write the references first to last to the postings of their words, ascending, and sum up the
 * weights of each one's words. next (WORDS,) says where the next reference of a word goes, and is
 * moved on; -1 for words that have no postings. Returns 0, or -1 without memory. */
int fill_postings(const uint8_t *codes, const int64_t *starts, int64_t first, int64_t last,
                  const int8_t *letters, const int32_t *weights, int32_t *next,
                  uint16_t *postings, int64_t *totals)
{
    uint32_t *seen = calloc(WORDS, sizeof *seen);
    int32_t words[AHEAD];
    if (!seen)
        return -1;
    for (int64_t reference = first; reference < last; reference++) {
        int64_t place = starts[reference], end = starts[reference + 1] - SPAN + 1;
        totals[reference] = 0;
        while (place < end) {
            /* Where words go is all over the memory: ask for it some time before it is needed. */
            int number = 0;
            for (; place < end && number < AHEAD; place++) {
                int32_t word = word_at(codes + place, letters);
                if (word < 0 || next[word] < 0 || seen[word] == reference + 1)
                    continue;
                seen[word] = (uint32_t)reference + 1;
                PREFETCH(postings + next[word]);
                words[number++] = word;
            }
            for (int i = 0; i < number; i++) {
                postings[next[words[i]]++] = (uint16_t)reference;
                totals[reference] += weights[words[i]];
            }
        }
    }
    free(seen);
    return 0;
}

/* A word of a protein: where its postings begin, how many there are, and its weight. */
typedef struct {
    int32_t start, size, weight;
} Word;

/* Distinct words of a protein that some reference has; returns how many. */
static int64_t known_words(const uint8_t *codes, int64_t length, const int8_t *letters,
                           const int32_t *starts, const int32_t *weights, uint8_t *seen,
                           Word *words)
{
    int64_t number = 0;
    for (int64_t place = 0; place + SPAN <= length; place++) {
        int32_t word = word_at(codes + place, letters);
        if (word < 0 || seen[word >> 3] & 1 << (word & 7))
            continue;
        seen[word >> 3] |= (uint8_t)(1 << (word & 7));
        int32_t size = starts[word + 1] - starts[word];
        words[number] = (Word){starts[word], size, weights[word]};
        number += size > 0;
    }
    for (int64_t place = 0; place + SPAN <= length; place++) {
        int32_t word = word_at(codes + place, letters);
        if (word >= 0)
            seen[word >> 3] = 0;
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

typedef struct {
    float score;
    int32_t reference;
} Hit;

static int by_score(const void *one, const void *other)
{
    const Hit *a = one, *b = other;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    return a->reference < b->reference ? -1 : 1;
}

/* A reference's score: the weight of the words shared, over the root of its length. */
static inline float score_of(const int32_t *tally, const float *inverse_root, int64_t reference)
{
    return (float)tally[reference] * inverse_root[reference];
}

/* Leave out hits that are not among the best, before they are sorted: they are counted in bins by
 * their scores, which lie between floor and highest. Returns how many are left, `most` at least. */
static int64_t without_the_lowest(Hit *hits, int64_t number, int64_t most, float floor,
                                  float highest)
{
    int64_t bins[BINS] = {0}, above = 0, kept = 0;
    float scale = (BINS - 1) / (highest - floor);
    for (int64_t i = 0; i < number; i++)
        bins[(int)((hits[i].score - floor) * scale)]++;
    int lowest = BINS;
    while (above < most)
        above += bins[--lowest];
    for (int64_t i = 0; i < number; i++) {
        hits[kept] = hits[i];
        kept += (int)((hits[i].score - floor) * scale) >= lowest;
    }
    return kept;
}

static inline int32_t bits_of(float number)
{
    int32_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

/* Find the references that share the rarest words with a protein; see WordIndex.search.
 * Space to work in: seen (WORDS / 8,) and tally (references,), zero before the first call and left
 * so; sizes (common + 1,), words (length,) and hits (references + 1,), whatever they hold.
 * found and shared (most,), sums (2,): weights of the protein's words, and of those looked up.
 * Returns how many were found. */
int64_t search(const uint8_t *codes, int64_t length, const int8_t *letters, const int32_t *starts,
               const uint16_t *postings, const int32_t *weights, const float *inverse_root,
               int64_t references, int32_t common, int64_t budget, int64_t budget_per_word,
               float least, const uint8_t *hidden, int64_t most, uint8_t *seen, int64_t *sizes,
               int32_t *tally, Word *words, Hit *hits,
               int32_t *found, int32_t *shared, int64_t *sums)
{
    int64_t number = known_words(codes, length, letters, starts, weights, seen, words);
    if (budget < budget_per_word * number)
        budget = budget_per_word * number;
    int32_t limit = rarest(words, number, common, budget, sizes);
    sums[0] = sums[1] = 0;
    for (int64_t i = 0; i < number; i++) {
        Word word = words[i];
        sums[0] += word.weight;
        if (word.size > limit)
            continue;
        sums[1] += word.weight;
        const uint16_t *posting = postings + word.start;
        for (int32_t j = 0; j < word.size; j++)
            tally[posting[j]] += word.weight;
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
    floor = least * highest;
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
    if (kept > most)
        kept = without_the_lowest(hits, kept, most, floor, highest);
    qsort(hits, (size_t)kept, sizeof *hits, by_score);
    kept = kept < most ? kept : most;
    for (int64_t i = 0; i < kept; i++) {
        found[i] = hits[i].reference;
        shared[i] = tally[hits[i].reference];
    }
    memset(tally, 0, (size_t)references * sizeof *tally);
    return kept;
}

/* Words like those of a protein; see portable.similar_words. order: of each letter, all letters by
 * falling score. rows (number, 3): word, place, score; where it is null they are only counted.
 * Returns how many there are. */
int64_t similar_words(const uint8_t *codes, int64_t length, const int8_t *letters,
                      const int8_t *scores, const int8_t *order, int32_t least, int32_t *rows)
{
    static const int offsets[] = {0, 1, 3, 4};
    int64_t number = 0;
    for (int64_t place = 0; place + SPAN <= length; place++) {
        if (word_at(codes + place, letters) < 0)
            continue;
        /* Of each of the four letters: the scores of others, their order, and the best that the
         * letters to the right can add. */
        const int8_t *row[4], *by_score[4];
        int best[4] = {0};
        for (int i = 3; i >= 0; i--) {
            int letter = letters[codes[place + offsets[i]]];
            row[i] = scores + letter * LETTERS;
            by_score[i] = order + letter * LETTERS;
            if (i)
                best[i - 1] = best[i] + row[i][by_score[i][0]];
        }
        for (int i = 0; i < LETTERS; i++) {
            int a = by_score[0][i], first = row[0][a];
            if (first + best[0] < least)
                break;
            for (int j = 0; j < LETTERS; j++) {
                int b = by_score[1][j], second = first + row[1][b];
                if (second + best[1] < least)
                    break;
                for (int k = 0; k < LETTERS; k++) {
                    int c = by_score[2][k], third = second + row[2][c];
                    if (third + best[2] < least)
                        break;
                    for (int l = 0; l < LETTERS; l++) {
                        int d = by_score[3][l], score = third + row[3][d];
                        if (score < least)
                            break;
                        if (rows) {
                            int32_t *to = rows + 3 * number;
                            to[0] = ((a * LETTERS + b) * LETTERS + c) * LETTERS + d;
                            to[1] = (int32_t)place;
                            to[2] = score;
                        }
                        number++;
                    }
                }
            }
        }
    }
    return number;
}

/* Tally references by rows of similar_words; see portable.PortableSearch.tally_similar.
 * tally (references,) begins at 0. */
void tally_similar(const int32_t *rows, int64_t number, const int32_t *starts,
                   const uint16_t *postings, const int32_t *weights, int32_t least,
                   int32_t *tally)
{
    for (const int32_t *row = rows; row < rows + 3 * number; row += 3) {
        if (row[2] < least)
            continue;
        int32_t weight = weights[row[0]] * (row[2] - least + 2) / 16;
        for (int32_t at = starts[row[0]]; at < starts[row[0] + 1]; at++)
            tally[postings[at]] += weight;
    }
}

/* Score references by the best of their diagonals with a protein; see
 * portable.PortableSearch.score_diagonals. rows: of similar_words; length: of the protein;
 * codes and starts: of all references; wanted, scores (most,). Returns 0, or -1 without memory. */
int score_diagonals(const int32_t *rows, int64_t number, int64_t length, const uint8_t *codes,
                    const int64_t *starts, const int8_t *letters, const int32_t *wanted,
                    int64_t most, int32_t *scores)
{
    int64_t longest = 0;
    for (int64_t i = 0; i < most; i++) {
        int64_t other = starts[wanted[i] + 1] - starts[wanted[i]];
        longest = other > longest ? other : longest;
    }
    size_t diagonals = (size_t)(length + longest + 2);
    /* The rows of each word are chained, from 1; 0 ends a chain. */
    int32_t *first = calloc(WORDS, sizeof *first);
    int32_t *next = malloc(((size_t)number + 1) * sizeof *next);
    int32_t *sums = calloc(diagonals, sizeof *sums);
    int32_t *touched = malloc(diagonals * sizeof *touched);
    int there = first && next && sums && touched;
    for (int64_t i = 0; i < number && there; i++) {
        next[i + 1] = first[rows[3 * i]];
        first[rows[3 * i]] = (int32_t)i + 1;
    }
    for (int64_t i = 0; i < most && there; i++) {
        const uint8_t *reference = codes + starts[wanted[i]];
        int64_t end = starts[wanted[i] + 1] - starts[wanted[i]] - SPAN + 1, touches = 0;
        for (int64_t place = 0; place < end; place++) {
            int32_t word = word_at(reference + place, letters);
            for (int32_t at = word < 0 ? 0 : first[word]; at; at = next[at]) {
                const int32_t *row = rows + 3 * (at - 1);
                int64_t diagonal = place - row[1] + length;
                if (!sums[diagonal])
                    touched[touches++] = (int32_t)diagonal;
                sums[diagonal] += row[2];
            }
        }
        int32_t best = 0;
        for (int64_t j = 0; j < touches; j++) {
            const int32_t *sum = sums + touched[j];
            int32_t score = sum[-1] + sum[0] + sum[1];
            best = score > best ? score : best;
        }
        for (int64_t j = 0; j < touches; j++)
            sums[touched[j]] = 0;
        scores[i] = best;
    }
    free(first);
    free(next);
    free(sums);
    free(touched);
    return there ? 0 : -1;
}
