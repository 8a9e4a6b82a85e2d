using Zaffre.Compute;
using Zaffre.Compute.Launch;

namespace Zaffre.Tests.Unit.Compute;

public sealed class DeviceTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("zaffre-devices-").FullName;

    [Fact]
    public void A_task_with_gpus_sees_the_device_files_of_its_own_and_the_drivers_and_no_others()
    {
        foreach (var name in new[] { "nvidia0", "nvidia1", "nvidia11", "nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-secret", "nvidiax", "sda" })
        {
            File.WriteAllText(Path.Combine(folder, name), "");
        }

        var devices = HostGpus.Devices([0, 11], folder);
        Assert.Equal(["nvidia-uvm", "nvidia-uvm-tools", "nvidia0", "nvidia11", "nvidiactl"], devices.Select(path => Path.GetFileName(path)!));

        var arguments = new List<string>();
        BubblewrapArguments.AddDevices(arguments, devices);
        Assert.Contains($"--dev-bind-try {folder}/nvidia0 {folder}/nvidia0", string.Join(' ', arguments), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_gpus_no_device_of_theirs_is_bound()
    {
        var spec = new TaskSpec { Id = new TaskId("t", 0), Command = ["true"], WorkingDirectory = "/mnt", LogPath = "/log" };

        Assert.DoesNotContain("nvidia", string.Join(' ', BubblewrapArguments.Of(spec, [], new Zaffre.Kernel.DataDirectory(folder))), StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);
}
