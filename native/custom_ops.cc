#include "custom_ops.h"

#include "custom_op.h"

namespace archwright {

struct CustomOps::State {
  explicit State(int threads) {
    for (const auto group : {imageOps, sequenceOps, updateOps}) {
      for (const Registration& op : group(threads)) operators.push_back(op);
    }
  }
  ~State() {
    if (domain != nullptr) ort().ReleaseCustomOpDomain(domain);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  std::vector<Registration> operators;
  OrtCustomOpDomain* domain = nullptr;
};

CustomOps::CustomOps(OrtSessionOptions* options, int threads)
    : state_(std::make_unique<State>(threads)) {
  check(ort().CreateCustomOpDomain("archwright", &state_->domain));
  for (const Registration& op : state_->operators)
    check(ort().CustomOpDomain_Add(state_->domain, &op));
  check(ort().AddCustomOpDomain(options, state_->domain));
}

CustomOps::CustomOps(CustomOps&&) noexcept = default;
CustomOps& CustomOps::operator=(CustomOps&&) noexcept = default;
CustomOps::~CustomOps() = default;

}  // namespace archwright
