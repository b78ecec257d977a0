/* Sub-pixel scaling of one 8-bit plane without rotation: bilinear, separable, positions in 16.16 fixed point.
 *
 * out(x, y) = source(ax * x + bx, ay * y + by), borders replicated. Two rows are blended first, over the span that
 * is needed, with weights of seven bits: a blended value fits 15 bits, so one multiply-add takes a pair of them to its
 * column with a weight of 14 bits. All sums are exact integers, so every path gives the same bytes.
 *
 * With AVX2 a column's pair of neighbours comes by a byte shuffle, not by a gather, which is several times slower on
 * processors whose microcode guards it. The shuffles are made once a plane, since all its rows share them.
 */
#include <stdint.h>
#include <stdlib.h>

#define LIMIT 16384
#define PAD 32
#define ROW_ONE 128
#define COLUMN_ONE 16384
#define SHIFT 21
#define HALF (1 << (SHIFT - 1))

static inline int clamp(int value, int last) { return value < 0 ? 0 : value > last ? last : value; }

static inline int64_t fixed(double value) { return (int64_t)(value * 65536.0 + (value < 0 ? -0.5 : 0.5)); }

static void blend_rows(const uint8_t *upper, const uint8_t *lower, int weight, uint16_t *out, int from, int count) {
    const uint16_t w1 = (uint16_t)weight, w0 = (uint16_t)(ROW_ONE - weight);
    for (int i = from; i < count; i++) out[i] = (uint16_t)(upper[i] * w0 + lower[i] * w1);
}

static void pick(const uint16_t *row, const int32_t *index, const int16_t *weight, uint8_t *out, int from, int width) {
    for (int x = from; x < width; x++) {
        const int32_t sum = row[index[x]] * weight[2 * x] + row[index[x] + 1] * weight[2 * x + 1];
        out[x] = (uint8_t)((sum + HALF) >> SHIFT);
    }
}

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
static int has_avx2(void) { return __builtin_cpu_supports("avx2"); }

__attribute__((target("avx2")))
static int blend_rows_avx2(const uint8_t *upper, const uint8_t *lower, int weight, uint16_t *out, int count) {
    if (weight == 0) return 0; /* 128 is no signed byte, and there is little to do */
    const __m256i weights = _mm256_set1_epi16((int16_t)(weight << 8 | (ROW_ONE - weight)));
    int i = 0;
    for (; i + 32 <= count; i += 32) {
        const __m256i a = _mm256_loadu_si256((const __m256i *)(upper + i));
        const __m256i b = _mm256_loadu_si256((const __m256i *)(lower + i));
        const __m256i even = _mm256_maddubs_epi16(_mm256_unpacklo_epi8(a, b), weights);
        const __m256i odd = _mm256_maddubs_epi16(_mm256_unpackhi_epi8(a, b), weights);
        _mm256_storeu_si256((__m256i *)(out + i), _mm256_permute2x128_si256(even, odd, 0x20));
        _mm256_storeu_si256((__m256i *)(out + i + 16), _mm256_permute2x128_si256(even, odd, 0x31));
    }
    return i;
}

/* Shuffles for eight columns at a time: the pairs of columns 0, 1 and 4, 5 come from 16 bytes at the first of each,
 * those of 2, 3 and 6, 7 likewise. Returns the columns that can be taken so: none where two are too far apart. */
static int plan_avx2(const int32_t *index, int width, uint8_t *shuffle) {
    const int usable = width & ~7;
    for (int x = 0; x < usable; x += 2) {
        const int apart = index[x + 1] - index[x];
        if (apart < 0 || apart > 6) return 0;
        const int high = x & 2, lane = (x & 4) * 4;
        uint8_t *mask = shuffle + (int64_t)(x >> 3) * 64 + (high ? 32 : 0) + lane;
        for (int k = 0; k < 16; k++) mask[k] = 0x80;
        for (int k = 0; k < 4; k++) {
            mask[(high ? 8 : 0) + k] = (uint8_t)k;
            mask[(high ? 8 : 0) + 4 + k] = (uint8_t)(2 * apart + k);
        }
    }
    return usable;
}

__attribute__((target("avx2")))
static inline __m256i eight_avx2(const uint16_t *row, const int32_t *at, const int16_t *weight, const uint8_t *shuffle) {
    const __m256i a = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(row + at[0]))),
                                              _mm_loadu_si128((const __m128i *)(row + at[4])), 1);
    const __m256i b = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(row + at[2]))),
                                              _mm_loadu_si128((const __m128i *)(row + at[6])), 1);
    const __m256i pairs = _mm256_or_si256(
        _mm256_shuffle_epi8(a, _mm256_loadu_si256((const __m256i *)shuffle)),
        _mm256_shuffle_epi8(b, _mm256_loadu_si256((const __m256i *)(shuffle + 32))));
    const __m256i sum = _mm256_madd_epi16(pairs, _mm256_loadu_si256((const __m256i *)weight));
    return _mm256_srli_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(HALF)), SHIFT);
}

__attribute__((target("avx2")))
static int pick_avx2(const uint16_t *row, const int32_t *index, const int16_t *weight, const uint8_t *shuffle,
                     uint8_t *out, int usable) {
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7), zero = _mm256_setzero_si256();
    int x = 0;
    for (; x + 16 <= usable; x += 16) {
        const __m256i one = eight_avx2(row, index + x, weight + 2 * x, shuffle + 8 * x);
        const __m256i two = eight_avx2(row, index + x + 8, weight + 2 * x + 16, shuffle + 8 * x + 64);
        const __m256i bytes = _mm256_packus_epi16(_mm256_packus_epi32(one, two), zero);
        const __m256i sorted = _mm256_permutevar8x32_epi32(bytes, order);
        _mm_storeu_si128((__m128i *)(out + x), _mm256_castsi256_si128(sorted));
    }
    return x;
}
#else
static int has_avx2(void) { return 0; }
static int blend_rows_avx2(const uint8_t *upper, const uint8_t *lower, int weight, uint16_t *out, int count) {
    (void)upper; (void)lower; (void)weight; (void)out; (void)count;
    return 0;
}
static int plan_avx2(const int32_t *index, int width, uint8_t *shuffle) {
    (void)index; (void)width; (void)shuffle;
    return 0;
}
static int pick_avx2(const uint16_t *row, const int32_t *index, const int16_t *weight, const uint8_t *shuffle,
                     uint8_t *out, int usable) {
    (void)row; (void)index; (void)weight; (void)shuffle; (void)out; (void)usable;
    return 0;
}
#endif

/* Returns 0, or -1 for sizes that are out of range. Strides are in bytes; ``plain`` keeps to the portable path. */
int resample_plane(const uint8_t *source, int source_width, int source_height, int source_stride, uint8_t *out,
                   int width, int height, int stride, double ax, double bx, double ay, double by, int plain) {
    static _Thread_local struct {
        uint16_t row[LIMIT + PAD];
        int32_t index[LIMIT];
        int16_t weight[2 * LIMIT];
        uint8_t shuffle[8 * LIMIT];
    } kept;
    uint16_t *const row = kept.row; /* one look-up of this thread's own, not one a pixel */
    int32_t *const index = kept.index;
    int16_t *const weight = kept.weight;
    uint8_t *const shuffle = kept.shuffle;
    if (width < 1 || height < 1 || width > LIMIT || source_width < 1 || source_width > LIMIT) return -1;
    int first = source_width, last = 0;
    for (int x = 0; x < width; x++) {
        const int64_t place = fixed(ax * x + bx);
        int at = (int)(place >> 16), w = ((int)(place & 0xffff) + 2) >> 2;
        if (at < 0) { at = 0; w = 0; }
        if (at >= source_width - 1) { at = source_width - 1; w = 0; }
        weight[2 * x] = (int16_t)(COLUMN_ONE - w);
        weight[2 * x + 1] = (int16_t)w;
        index[x] = at;
        if (at < first) first = at;
        if (at > last) last = at;
    }
    const int span = last - first + 1 + (last + 1 < source_width);
    for (int x = 0; x < width; x++) index[x] -= first;
    const int fast = !plain && has_avx2();
    const int usable = fast ? plan_avx2(index, width, shuffle) : 0;
    for (int y = 0; y < height; y++) {
        const int64_t place = fixed(ay * y + by) + 256;
        const int at = (int)(place >> 16), w = (int)(place & 0xffff) >> 9;
        const uint8_t *upper = source + (int64_t)clamp(at, source_height - 1) * source_stride + first;
        const uint8_t *lower = source + (int64_t)clamp(at + 1, source_height - 1) * source_stride + first;
        const int blended = fast ? blend_rows_avx2(upper, lower, w, row, span) : 0;
        blend_rows(upper, lower, w, row, blended, span);
        row[span] = row[span - 1];
        uint8_t *target = out + (int64_t)y * stride;
        const int done = usable ? pick_avx2(row, index, weight, shuffle, target, usable) : 0;
        pick(row, index, weight, target, done, width);
    }
    return 0;
}
