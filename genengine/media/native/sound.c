/* Loudness, true peak and limiting of one 48 kHz channel or of two: what ITU-R BS.1770-5 asks for, in one pass each.
 *
 * Doubles where values are summed over a long time, no fused or reordered operations: the same sound gives the same
 * numbers on every machine that this is compiled on with the same flags.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 64
#define MOST_TAPS 64
#define TINY 1e-18 /* added to every sample: filters that run dry reach denormals, which are slow */

/* Energies of successive hops, K-weighted (both filters of BS.1770-5, table 1 and 2, for 48 kHz): the sums of squares
 * of ``channel`` over each ``hop`` samples are added to ``energy``. A rest shorter than a hop is left out. */
void hop_energies(const float *channel, int64_t samples, int64_t hop, double *energy) {
    const double b0 = 1.53512485958697, b1 = -2.69169618940638, b2 = 1.19839281085285;
    const double a1 = -1.69065929318241, a2 = 0.73248077421585, c1 = -1.99004745483398, c2 = 0.99007225036621;
    double s1 = 0, s2 = 0, t1 = 0, t2 = 0;
    for (int64_t block = 0; (block + 1) * hop <= samples; block++) {
        const float *at = channel + block * hop;
        double sum = 0;
        for (int64_t i = 0; i < hop; i++) {
            const double in = at[i] + TINY, shelf = b0 * in + s1;
            s1 = b1 * in - a1 * shelf + s2;
            s2 = b2 * in - a2 * shelf;
            const double out = shelf + t1;
            t1 = -2 * shelf - c1 * out + t2;
            t2 = shelf - c2 * out;
            sum += out * out;
        }
        energy[block] += sum;
    }
}

/* The largest magnitude from each sample up to the next, seen at four times the rate; raises ``envelope`` to it.
 * ``channel`` has ``taps`` / 2 samples of silence before it and ``taps`` + BLOCK behind it; ``filters`` holds the
 * three phases between samples, ``taps`` each. */
int peak_envelope(const float *channel, int64_t samples, const float *filters, int taps, float *envelope) {
    if (taps < 2 || taps > MOST_TAPS || taps % 2) return -1;
    for (int64_t start = 0; start < samples; start += BLOCK) {
        const float *window = channel + start - taps / 2 + 1;
        float most[BLOCK];
        for (int i = 0; i < BLOCK; i++) most[i] = fabsf(channel[start + i]);
        for (int phase = 0; phase < 3; phase++) {
            float sum[BLOCK] = {0};
            for (int k = 0; k < taps; k++) {
                const float weight = filters[phase * taps + k];
                for (int i = 0; i < BLOCK; i++) sum[i] += weight * window[i + k];
            }
            for (int i = 0; i < BLOCK; i++) {
                const float size = fabsf(sum[i]);
                most[i] = size > most[i] ? size : most[i];
            }
        }
        const int count = samples - start < BLOCK ? (int)(samples - start) : BLOCK;
        for (int i = 0; i < count; i++) envelope[start + i] = most[i] > envelope[start + i] ? most[i] : envelope[start + i];
    }
    return 0;
}

static double needed(const float *envelope, int64_t samples, int64_t at, double ceiling) {
    double peak = 0; /* what lies before a sample is heard at its gain too */
    if (at < samples) peak = envelope[at];
    if (at > 0 && at - 1 < samples && envelope[at - 1] > peak) peak = envelope[at - 1];
    return peak > ceiling ? ceiling / peak : 1.0;
}

/* The gain of a limiter that looks ``ahead`` samples ahead: at every sample at most what its peak needs, since it is
 * the mean over ``ahead`` + 1 samples of minima that all cover it. It recovers by the share ``release`` a sample.
 * Returns 0, or -1 without memory. */
int limiting_gain(const float *envelope, int64_t samples, double ceiling, int64_t ahead, double release, float *gain) {
    const int64_t reach = ahead + 1;
    int64_t *queue = malloc((size_t)(reach + 1) * sizeof *queue); /* places of rising needs: the first is the least */
    double *need = malloc((size_t)(reach + 1) * sizeof *need), *past = malloc((size_t)reach * sizeof *past);
    if (!queue || !need || !past) {
        free(queue), free(need), free(past);
        return -1;
    }
    const int64_t ring = reach + 1;
    int64_t head = 0, tail = 0;
    double held = 1, total = (double)reach;
    for (int64_t i = 0; i < reach; i++) past[i] = 1;
    for (int64_t entering = -ahead; entering < samples + ahead; entering++) {
        const int64_t now = entering - ahead; /* looks at now … entering */
        const double value = entering < 0 ? 1.0 : needed(envelope, samples, entering, ceiling);
        while (tail > head && need[(tail - 1) % ring] >= value) tail--;
        queue[tail % ring] = entering, need[tail % ring] = value, tail++;
        while (queue[head % ring] < now) head++;
        const double least = need[head % ring], risen = held + (1 - held) * release;
        held = least < risen ? least : risen;
        const int64_t slot = (now + 2 * ahead) % reach;
        total += held - past[slot];
        past[slot] = held;
        if (now >= 0 && now < samples) gain[now] = (float)(total / (double)reach);
    }
    free(queue), free(need), free(past);
    return 0;
}
