using Zaffre.Compute;
using Zaffre.Compute.Computes;
using Zaffre.Compute.Operator;
using Zaffre.Kernel;

namespace Zaffre.Tests.Unit.Compute;

public sealed class PriceTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("zaffre-prices-").FullName;

    [Fact]
    public void A_charge_is_the_sum_of_node_hours_processor_hours_memory_hours_and_gpu_hours()
    {
        Write("""
            sizes:
            - { name: big, cores: 8, memory_gb: 64, gpus: 2, hour: 1.5 }
            prices: { currency: EUR, cpu_hour: 0.1, memory_gb_hour: 0.01, gpu_hour: 2 }
            """);
        var charge = new Charge { Wall = TimeSpan.FromHours(2), Places = 3, CpuSeconds = 1800, MemoryBytes = 4L << 30, GpuSeconds = 7200 };
        Assert.Equal(new Cost(9m + 0.05m + 0.08m + 4m, "EUR"), Prices.Of("BIG", charge));
        Assert.Equal(new Cost(0.05m + 0.08m + 4m, "EUR"), Prices.Of("unknown", charge));
    }

    [Fact]
    public void Without_a_table_nothing_has_a_price_and_a_wrong_one_says_where()
    {
        var charge = new Charge { Wall = TimeSpan.FromHours(1), Places = 1 };
        Assert.Null(Prices.Of("big", charge));
        Write("sizes:\n- { name: big, cores: 1, memory_gb: 1, hour: 2 }\n");
        Assert.Equal(new Cost(2, "USD"), Prices.Of("big", charge));
        Assert.Contains("line 1: 'cpu_hour' must be a price", ComputeFile.Parse("prices: { cpu_hour: -1 }").Problem!.Message, StringComparison.Ordinal);
        Assert.Contains("'disk' is not known here", ComputeFile.Parse("prices: { disk: 1 }").Problem!.Message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(root, recursive: true);

    private Prices Prices
    {
        get
        {
            var file = new ComputeFile(new DataDirectory(root));
            return new Prices(file, new ComputeSizes(file));
        }
    }

    private void Write(string text) => File.WriteAllText(Path.Combine(root, "compute.yml"), text);
}
