"""The same setup as code: Terraform, CloudFormation, commands of the AWS CLI. Nothing asks AWS."""
