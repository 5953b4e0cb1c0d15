#include "cpu/cross_entropy.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "cpu/vector_math.h"

namespace archwright::kernels {

namespace {

// gradient ← e^(logits − most)
template <int Width>
ARCHWRIGHT_INLINE void shifted_body(const float* logits, int64_t n, float most, float* gradient) {
  for (int64_t i = 0; i < n; i++) gradient[i] = expOf(logits[i] - most);
}
ARCHWRIGHT_DISPATCH(shifted, (const float* logits, int64_t n, float most, float* gradient),
                    (logits, n, most, gradient))

double row(int64_t n, const float* logits, const float* target, float perRow, float* gradient) {
  const float most = *std::max_element(logits, logits + n);
  shifted(logits, n, most, gradient);
  double total = 0, weight = 0, along = 0;
  for (int64_t i = 0; i < n; i++) {
    total += gradient[i];
    weight += target[i];
    along += static_cast<double>(target[i]) * (logits[i] - most);
  }
  const auto share = static_cast<float>(weight / total);
  for (int64_t i = 0; i < n; i++) gradient[i] = perRow * (share * gradient[i] - target[i]);
  return weight * std::log(total) - along;
}

}  // namespace

void crossEntropy(int64_t rows, int64_t classes, const CrossEntropy& a, const Parallel& parallel) {
  std::vector<double> losses(parallel.threads);
  const float perRow = 1.0f / static_cast<float>(rows);
  parallel.share(rows, std::max<int64_t>(1, kShare / classes),
                 [&](int64_t task, int64_t begin, int64_t end) {
    double loss = 0;
    for (int64_t r = begin; r < end; r++) {
      const int64_t at = r * classes;
      loss += row(classes, a.logits + at, a.target + at, perRow, a.gradient + at);
    }
    losses[static_cast<size_t>(task)] = loss;
  });
  double loss = 0;
  for (const double part : losses) loss += part;
  *a.loss = static_cast<float>(loss / static_cast<double>(rows));
}

}  // namespace archwright::kernels
