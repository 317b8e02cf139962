# Sidekiq's own no-op job, as Debian's ruby-sidekiq has it. BENCH_REDIS is the same Redis that our run uses.
require 'sidekiq'
Redis.sadd_returns_boolean = false if Redis.respond_to?(:sadd_returns_boolean=)

options = { url: ENV.fetch('BENCH_REDIS') }
Sidekiq.configure_client { |config| config.redis = options }
Sidekiq.configure_server { |config| config.redis = options }
# A line in the log at the start and the end of each job would cost more than the job.
Sidekiq.logger.level = Logger::WARN

class Noop
  include Sidekiq::Worker
  sidekiq_options retry: true
  def perform(number); end
end

if ARGV[0] == 'fill'
  count = ARGV[1].to_i
  (0...count).each_slice(1000) { |page| Sidekiq::Client.push_bulk('class' => Noop, 'args' => page.map { |n| [n] }) }
end
