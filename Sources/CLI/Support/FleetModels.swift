import Crew
import Domain
import Jobs
import LLM
extension Fleet {
    func models() throws -> Models {
        Models(routing: CrewRouting(prices: PriceTable(), providers: []), providers: [SimulatedModel()], allowSimulation: true)
    }
}
