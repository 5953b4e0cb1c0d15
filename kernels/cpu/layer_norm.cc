#include "cpu/layer_norm.h"

#include <algorithm>
#include <vector>

#include "cpu/simd.h"

namespace archwright::kernels {

namespace {

// One row; dScale and dBias are added to.
template <int Width>
ARCHWRIGHT_INLINE void normRow_body(int64_t n, const float* dy, const float* x, const float* scale,
                                    float mean, float rate, float* dx, float* dScale,
                                    float* dBias) {
  Vec<Width> sumG = splat<Width>(0), sumGx = splat<Width>(0);
  const Vec<Width> shift = splat<Width>(-mean), gain = splat<Width>(rate);
  int64_t i = 0;
  for (; i + Width <= n; i += Width) {
    const Vec<Width> d = load<Width>(dy + i);
    Vec<Width> normal = load<Width>(x + i);
    normal += shift;
    normal = normal * gain;
    const Vec<Width> g = d * load<Width>(scale + i);
    sumG += g;
    sumGx += g * normal;
    Vec<Width> s = load<Width>(dScale + i), b = load<Width>(dBias + i);
    s += d * normal;
    b += d;
    store<Width>(dScale + i, s);
    store<Width>(dBias + i, b);
  }
  float averageG = sum<Width>(sumG), averageGx = sum<Width>(sumGx);
  for (; i < n; i++) {
    const float normal = (x[i] - mean) * rate, g = dy[i] * scale[i];
    averageG += g;
    averageGx += g * normal;
    dScale[i] += dy[i] * normal;
    dBias[i] += dy[i];
  }
  averageG /= static_cast<float>(n);
  averageGx /= static_cast<float>(n);
  for (int64_t j = 0; j < n; j++) {
    const float normal = (x[j] - mean) * rate;
    dx[j] = rate * (dy[j] * scale[j] - averageG - normal * averageGx);
  }
}
ARCHWRIGHT_DISPATCH(normRow,
                    (int64_t n, const float* dy, const float* x, const float* scale, float mean,
                     float rate, float* dx, float* dScale, float* dBias),
                    (n, dy, x, scale, mean, rate, dx, dScale, dBias))

// Rows whose sums are taken in float before they are added up in double.
constexpr int64_t kRowsPerSum = 256;

}  // namespace

void layerNormBackward(int64_t rows, int64_t columns, const LayerNormBackward& a,
                       const Parallel& parallel) {
  const auto width = static_cast<size_t>(2 * columns);
  std::vector<double> totals(parallel.threads * width);
  parallel.share(rows, std::max<int64_t>(1, kShare / columns),
                 [&](int64_t task, int64_t begin, int64_t end) {
    std::vector<float> sums(width);
    double* total = &totals[static_cast<size_t>(task) * width];
    for (int64_t first = begin; first < end; first += kRowsPerSum) {
      std::fill(sums.begin(), sums.end(), 0.0f);
      for (int64_t r = first; r < std::min(first + kRowsPerSum, end); r++) {
        const int64_t at = r * columns;
        normRow(columns, a.dy + at, a.x + at, a.scale, a.mean[r], a.rate[r], a.dx + at, sums.data(),
                sums.data() + columns);
      }
      for (size_t i = 0; i < width; i++) total[i] += sums[i];
    }
  });
  for (int64_t i = 0; i < columns; i++) {
    double scale = 0, bias = 0;
    for (size_t task = 0; task < parallel.threads; task++) {
      scale += totals[task * width + static_cast<size_t>(i)];
      bias += totals[task * width + static_cast<size_t>(columns + i)];
    }
    a.dScale[i] = static_cast<float>(scale);
    a.dBias[i] = static_cast<float>(bias);
  }
}

}  // namespace archwright::kernels
