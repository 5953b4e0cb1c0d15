// The one way to do background work: a promise, a libuv worker thread, and references to what the
// work reads. `Work` runs on the worker thread and must not touch N-API; `Convert` turns its result
// into a JavaScript value on the JavaScript thread. A C++ exception of either rejects the promise
// with an Error of its message.
#pragma once

#include <napi.h>

#include <exception>
#include <optional>
#include <utility>

#include "convert.h"

namespace archwright {

template <class Work, class Convert>
class PromiseWork final : public Napi::AsyncWorker {
 public:
  static Napi::Value start(Napi::Env env, KeepAlive keep, Work work, Convert convert) {
    auto* self = new PromiseWork(env, std::move(keep), std::move(work), std::move(convert));
    const Napi::Promise promise = self->deferred_.Promise();
    self->Queue();  // deletes itself when done
    return promise;
  }

 private:
  using Result = decltype(std::declval<Work&>()());

  PromiseWork(Napi::Env env, KeepAlive keep, Work work, Convert convert)
      : Napi::AsyncWorker(env),
        deferred_(env),
        keep_(std::move(keep)),
        work_(std::move(work)),
        convert_(std::move(convert)) {}

  void Execute() override { result_.emplace(work_()); }

  void OnOK() override {
    try {
      deferred_.Resolve(convert_(Env(), *result_));
    } catch (const Napi::Error& error) {
      deferred_.Reject(error.Value());
    } catch (const std::exception& error) {
      deferred_.Reject(Napi::Error::New(Env(), error.what()).Value());
    }
  }

  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

  Napi::Promise::Deferred deferred_;
  KeepAlive keep_;
  Work work_;
  Convert convert_;
  std::optional<Result> result_;
};

template <class Work, class Convert>
Napi::Value promiseWork(Napi::Env env, KeepAlive keep, Work work, Convert convert) {
  return PromiseWork<Work, Convert>::start(env, std::move(keep), std::move(work),
                                           std::move(convert));
}

}  // namespace archwright
