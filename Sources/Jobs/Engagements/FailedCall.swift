import Crew
import Domain
import Stores

/// What a call that failed is booked as. Where the outcome is not known, its whole reservation stays charged.
enum FailedCall {
    static func end(
        _ fault: ModelFault,
        call: Int,
        _ request: ModelRequest,
        _ choice: RouteChoice,
        _ prices: PriceTable
    ) -> RunLedger.CallEnd {
        switch fault {
        case .cancelled(let bytes):
            let charge = prices.charge(
                forCancelled: request,
                partialOutputBytes: bytes,
                provider: choice.route.provider
            )
            return RunLedger.CallEnd(
                call: call,
                state: .failed,
                cost: min(charge.cost, choice.reservation),
                inputTokens: charge.usage.input,
                outputTokens: charge.usage.output,
                isEstimated: true,
                fault: fault.description
            )
        case .timeout(.firstByte), .timeout(.silence), .timeout(.total), .truncated:
            return RunLedger.CallEnd(
                call: call,
                state: .unknown,
                cost: choice.reservation,
                fault: fault.description
            )
        default: return RunLedger.CallEnd(call: call, state: .failed, cost: .zero, fault: fault.description)
        }
    }
}
