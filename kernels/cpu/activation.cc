#include "cpu/activation.h"

#include "cpu/vector_math.h"

namespace archwright::kernels {

namespace {

template <int Width>
ARCHWRIGHT_INLINE void gelu_body(int64_t n, const float* x, float* y) {
  for (int64_t i = 0; i < n; i++) y[i] = x[i] * normalOf(x[i]).cumulative;
}
ARCHWRIGHT_DISPATCH(gelu, (int64_t n, const float* x, float* y), (n, x, y))

template <int Width>
ARCHWRIGHT_INLINE void geluSlope_body(int64_t n, const float* dy, const float* x, float* dx) {
  for (int64_t i = 0; i < n; i++) {
    const NormalDistribution normal = normalOf(x[i]);
    dx[i] = dy[i] * (normal.cumulative + x[i] * normal.density);
  }
}
ARCHWRIGHT_DISPATCH(geluSlope, (int64_t n, const float* dy, const float* x, float* dx),
                    (n, dy, x, dx))

template <int Width>
ARCHWRIGHT_INLINE void silu_body(int64_t n, const float* x, float* y) {
  for (int64_t i = 0; i < n; i++) y[i] = x[i] / (1.0f + expOf(-x[i]));
}
ARCHWRIGHT_DISPATCH(silu, (int64_t n, const float* x, float* y), (n, x, y))

template <int Width>
ARCHWRIGHT_INLINE void siluSlope_body(int64_t n, const float* dy, const float* x, float* dx) {
  for (int64_t i = 0; i < n; i++) {
    const float gate = 1.0f / (1.0f + expOf(-x[i]));
    dx[i] = dy[i] * gate * (1.0f + x[i] * (1.0f - gate));
  }
}
ARCHWRIGHT_DISPATCH(siluSlope, (int64_t n, const float* dy, const float* x, float* dx),
                    (n, dy, x, dx))

}  // namespace

void geluForward(int64_t count, const float* x, float* y, const Parallel& parallel) {
  parallel.share(count, kShare, [&](int64_t, int64_t begin, int64_t end) {
    gelu(end - begin, x + begin, y + begin);
  });
}

void geluBackward(int64_t count, const float* dy, const float* x, float* dx,
                  const Parallel& parallel) {
  parallel.share(count, kShare, [&](int64_t, int64_t begin, int64_t end) {
    geluSlope(end - begin, dy + begin, x + begin, dx + begin);
  });
}

void siluForward(int64_t count, const float* x, float* y, const Parallel& parallel) {
  parallel.share(count, kShare, [&](int64_t, int64_t begin, int64_t end) {
    silu(end - begin, x + begin, y + begin);
  });
}

void siluBackward(int64_t count, const float* dy, const float* x, float* dx,
                  const Parallel& parallel) {
  parallel.share(count, kShare, [&](int64_t, int64_t begin, int64_t end) {
    siluSlope(end - begin, dy + begin, x + begin, dx + begin);
  });
}

}  // namespace archwright::kernels
