# Sidekiq's own no-op job, as Debian's ruby-sidekiq has it. BENCH_REDIS is the same Redis that our run uses.
require 'sidekiq'

options = { url: ENV.fetch('BENCH_REDIS') }
Sidekiq.configure_client { |config| config.redis = options }
Sidekiq.configure_server { |config| config.redis = options }

class Noop
  include Sidekiq::Worker
  sidekiq_options retry: true
  def perform(number); end
end

if ARGV[0] == 'fill'
  count = ARGV[1].to_i
  (0...count).each_slice(1000) { |page| Sidekiq::Client.push_bulk('class' => Noop, 'args' => page.map { |n| [n] }) }
end
