// Three requests of one client of the AWS SDK for JavaScript: how often does it ask for credentials?
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

const client = new STSClient({ endpoint: process.env.AWS_ENDPOINT_URL_STS });
for (let request = 0; request < 3; request++) {
  await client.send(new GetCallerIdentityCommand({}));
}
